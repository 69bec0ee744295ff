#ifndef GUARDD_CLMDB_SHIM_H
#define GUARDD_CLMDB_SHIM_H
#include <lmdb.h>
#endif
