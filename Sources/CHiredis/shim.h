/* hiredis 0.14 for Swift: its reader of replies. Sockets and timers are the reactor's: hiredis would resolve names
   blockingly and has no timeouts. */
#ifndef GUARDD_CHIREDIS_SHIM_H
#define GUARDD_CHIREDIS_SHIM_H
#include <sys/types.h>
#include <sys/time.h>
#include <hiredis/hiredis.h>
#endif
