/* libevent 2.1 for Swift. sys/types.h and sys/select.h must come first: without them a clean debug build fails. */
#ifndef GUARDD_CEVENT_SHIM_H
#define GUARDD_CEVENT_SHIM_H
#include <sys/types.h>
#include <sys/select.h>
#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <event2/thread.h>
#endif
