/* libevent 2.1 for Swift. sys/types.h and sys/select.h must come first: without them a clean debug build fails. */
#ifndef GUARDD_CEVENT_SHIM_H
#define GUARDD_CEVENT_SHIM_H
#include <sys/types.h>
#include <sys/select.h>
#include <sys/eventfd.h>
#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
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
/* memfd_create(2), its seals and capset(2) have no declarations that Swift sees without _GNU_SOURCE or libcap. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <linux/capability.h>
extern int memfd_create(const char *, unsigned int);
/* From <linux/memfd.h> and <linux/fcntl.h>, which can't stand beside <fcntl.h>. */
enum { GUARDD_MFD_CLOEXEC = 1, GUARDD_MFD_ALLOW_SEALING = 2, GUARDD_F_ADD_SEALS = 1033, GUARDD_F_GET_SEALS = 1034 };
/* SEAL, SHRINK, GROW, WRITE */
enum { GUARDD_SEALS = 1 | 2 | 4 | 8 };
extern int capget(cap_user_header_t, cap_user_data_t);
extern int capset(cap_user_header_t, const cap_user_data_t);
static inline int guardd_memory_file(void) { return memfd_create("guardd", GUARDD_MFD_CLOEXEC | GUARDD_MFD_ALLOW_SEALING); }
static inline int guardd_seal(int file) { return fcntl(file, GUARDD_F_ADD_SEALS, GUARDD_SEALS); }
static inline int guardd_is_sealed(int file) { return fcntl(file, GUARDD_F_GET_SEALS) == GUARDD_SEALS; }
static inline int guardd_set_dumpable(int value) { return prctl(PR_SET_DUMPABLE, value, 0, 0, 0); }
/* Whether somebody keeps the clock right: 0 yes, 1 no (STA_UNSYNC or TIME_ERROR), -1 the kernel does not say. */
#include <sys/timex.h>
static inline int guardd_clock_state(void) {
    struct timex request;
    memset(&request, 0, sizeof request);
    int state = adjtimex(&request);
    if (state < 0) return -1;
    return state == TIME_ERROR || (request.status & STA_UNSYNC) ? 1 : 0;
}
extern int getresuid(uid_t *, uid_t *, uid_t *);
extern int getresgid(gid_t *, gid_t *, gid_t *);
/* Whether real, effective and saved ids are all these. */
static inline int guardd_is_wholly(uid_t user, gid_t group) {
    uid_t u[3];
    gid_t g[3];
    if (getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0) return 0;
    for (int i = 0; i < 3; i++) if (u[i] != user || g[i] != group) return 0;
    return 1;
}
/* Those of the calling thread: effective, permitted, inheritable, ambient. 0, or -1 with errno. */
static inline int guardd_drop_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return capset(&header, data);
}
/* Whether the calling thread has any capability, or can't tell. */
static inline int guardd_has_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (capget(&header, data) != 0) return 1;
    for (int i = 0; i < 2; i++) if (data[i].effective || data[i].permitted || data[i].inheritable) return 1;
    return 0;
}

#include "spawn.h"
#endif
