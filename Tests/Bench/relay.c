/* relay: carries octets between a client and one upstream and looks at none of them: what any libevent proxy costs at
 * least. One thread, one read buffer for all, write at once; what the other side does not take waits in a buffer of its
 * own, and so long its source is not read.
 *
 * relay LISTEN_PORT UPSTREAM_PORT        (both on 127.0.0.1)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

struct session;
struct side {
    struct session *session;
    struct side *other;
    int fd;
    struct event *readable, *writable;
    char *waiting;                              /* not yet taken by fd */
    size_t begin, end;
    int ended;                                  /* fd said end of input */
};
struct session { struct side client, upstream; };

static struct event_base *base;
static struct sockaddr_in upstream_address;
static char octets[128 * 1024];

static void at_once(int fd) { int on = 1; setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); }

static void finish(struct session *s) {
    struct side *sides[2] = { &s->client, &s->upstream };
    for (int i = 0; i < 2; i++) {
        event_free(sides[i]->readable);
        event_free(sides[i]->writable);
        close(sides[i]->fd);
        free(sides[i]->waiting);
    }
    free(s);
}

/* `to` has taken everything: its source is read on, or its end passed on. */
static void drained(struct side *to) {
    if (!to->other->ended) event_add(to->other->readable, NULL);
    else if (to->ended) finish(to->session);
    else shutdown(to->fd, SHUT_WR);
}

static void write_ready(evutil_socket_t fd, short what, void *context) {
    struct side *to = context;
    (void)what;
    ssize_t n = send(fd, to->waiting + to->begin, to->end - to->begin, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) { finish(to->session); return; }
    if (n > 0) to->begin += (size_t)n;
    if (to->begin < to->end) { event_add(to->writable, NULL); return; }
    free(to->waiting);
    to->waiting = NULL;
    drained(to);
}

static void read_ready(evutil_socket_t fd, short what, void *context) {
    struct side *from = context, *to = from->other;
    (void)what;
    ssize_t n = recv(fd, octets, sizeof octets, 0);
    if (n < 0) { if (errno != EAGAIN) finish(from->session); return; }
    if (n == 0) {
        from->ended = 1;
        event_del(from->readable);
        drained(to);
        return;
    }
    ssize_t taken = send(to->fd, octets, (size_t)n, MSG_NOSIGNAL);
    if (taken == n) return;
    if (taken < 0 && errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN) { finish(from->session); return; }
    if (taken < 0) taken = 0;
    to->begin = 0;
    to->end = (size_t)(n - taken);
    to->waiting = malloc(to->end);
    if (!to->waiting) { finish(from->session); return; }
    memcpy(to->waiting, octets + taken, to->end);
    event_del(from->readable);
    event_add(to->writable, NULL);
}

static int prepare(struct side *side, struct session *s, struct side *other, int fd) {
    side->session = s;
    side->other = other;
    side->fd = fd;
    at_once(fd);
    side->readable = event_new(base, fd, EV_READ | EV_PERSIST, read_ready, side);
    side->writable = event_new(base, fd, EV_WRITE, write_ready, side);
    return side->readable && side->writable ? event_add(side->readable, NULL) : -1;
}

static void accept_ready(evutil_socket_t listener, short what, void *context) {
    (void)what; (void)context;
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) return;
        int up = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct session *s = calloc(1, sizeof *s);
        if (up < 0 || !s) abort();
        if (connect(up, (struct sockaddr *)&upstream_address, sizeof upstream_address) < 0 && errno != EINPROGRESS) abort();
        if (prepare(&s->client, s, &s->upstream, client) < 0 || prepare(&s->upstream, s, &s->client, up) < 0) abort();
    }
}

static struct sockaddr_in loopback(const char *port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int main(int count, char **arguments) {
    if (count != 3) { fprintf(stderr, "usage: relay LISTEN_PORT UPSTREAM_PORT\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in own = loopback(arguments[1]);
    upstream_address = loopback(arguments[2]);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, 4096) < 0) { perror("relay"); return 1; }
    base = event_base_new();
    struct event *accepting = event_new(base, listener, EV_READ | EV_PERSIST, accept_ready, NULL);
    event_add(accepting, NULL);
    return event_base_dispatch(base);
}
