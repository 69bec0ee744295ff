/* zlib's reading of .gz files, which reads files that are not compressed as they are. */
#ifndef GUARDD_CZLIB_SHIM_H
#define GUARDD_CZLIB_SHIM_H
#include <zlib.h>
#endif
