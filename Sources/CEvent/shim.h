/* libevent 2.1 for Swift. sys/types.h and sys/select.h must come first: without them a clean debug build fails. */
#ifndef GUARDD_CEVENT_SHIM_H
#define GUARDD_CEVENT_SHIM_H
#include <sys/types.h>
#include <sys/select.h>
#include <sys/eventfd.h>
#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <event2/thread.h>

/* eventfd(2)'s flags are an anonymous enum that Swift does not take as the int that the call wants. */
static inline int guardd_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/* accept4(2) is hidden behind _GNU_SOURCE; evutil_accept4 is not exported by libevent. */
#include <sys/socket.h>
extern int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int guardd_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#include "spawn.h"
#endif
