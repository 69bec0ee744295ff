/* LMDB for Swift, and eventfd, by which the log's threads wake each other. */
#ifndef GUARDD_CLMDB_SHIM_H
#define GUARDD_CLMDB_SHIM_H
#include <lmdb.h>
#include <sys/eventfd.h>
#endif
