/* SMTP clients for the benches, in TLS from the first octet or in clear (-p), with blocking calls, a thread a session.
 *   tlsload [-p] [-s sessions] [-m messages] [-n messages a connection, 0: all] [-l octets] [-r] [-2] PORT
 *   tlsload [-p] [-2] -I connections PORT   opens them, says EHLO, prints a line, waits until standard input ends
 * -r resumes the session of the connection before, -2 speaks TLS 1.2 only. Exits with 1 when a reply is not what it must
 * be. Loopback only; every run is bounded by its count and by the deadline of each socket. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct peer { int fd; SSL *ssl; char in[8192]; int have; };
static SSL_CTX *ctx;
static int sessions = 1, each, size = 1024, resumes, plain, idle, port;
static atomic_int left = 1, sources;
static char *content;
static int length;

static void fail(const char *what) { fprintf(stderr, "tlsload: %s\n", what); ERR_print_errors_fp(stderr); exit(1); }

static void put(struct peer *p, const char *data, int count) {
    while (count > 0) {
        int n = p->ssl ? SSL_write(p->ssl, data, count) : (int)send(p->fd, data, count, MSG_NOSIGNAL);
        if (n <= 0) fail("write failed");
        data += n;
        count -= n;
    }
}

/* Reads one reply, which may have several lines; nothing is pipelined. */
static void want(struct peer *p, const char *code) {
    p->have = 0;
    for (;;) {
        int room = (int)sizeof p->in - 1 - p->have;
        int n = room <= 0 ? 0 : p->ssl ? SSL_read(p->ssl, p->in + p->have, room) : (int)recv(p->fd, p->in + p->have, room, 0);
        if (n <= 0) fail("connection lost");
        p->have += n;
        p->in[p->have] = 0;
        if (p->in[p->have - 1] != '\n') continue;
        char *last = p->in, *line = p->in;
        for (char *c; (c = strchr(line, '\n')) && c[1]; line = last = c + 1) {}
        if (strlen(last) > 3 && last[3] == '-') continue;
        if (strncmp(last, code, 3)) fail(p->in);
        return;
    }
}

static void say(struct peer *p, const char *command, const char *code) {
    put(p, command, (int)strlen(command));
    want(p, code);
}

static void open_peer(struct peer *p, SSL_SESSION **kept) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) }, from = { .sin_family = AF_INET };
    struct timeval limit = { .tv_sec = 60 };
    int on = 1, number = atomic_fetch_add(&sources, 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x10000 + number / 5000 * 256);   /* not more ports of one than there are */
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(p->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (p->fd < 0 || bind(p->fd, (void *)&from, sizeof from) || connect(p->fd, (void *)&to, sizeof to)) { perror("tlsload"); exit(1); }
    p->ssl = NULL;
    if (!plain) {
        p->ssl = SSL_new(ctx);
        SSL_set_fd(p->ssl, p->fd);
        if (kept && *kept) SSL_set_session(p->ssl, *kept);
        if (SSL_connect(p->ssl) != 1) fail("handshake failed");
    }
    want(p, "220");
    say(p, "EHLO client.example\r\n", "250");
}

static void close_peer(struct peer *p, SSL_SESSION **kept) {
    say(p, "QUIT\r\n", "221");
    if (p->ssl) {
        if (resumes) {
            SSL_SESSION_free(*kept);
            *kept = SSL_get1_session(p->ssl);
        }
        SSL_shutdown(p->ssl);
        SSL_free(p->ssl);
    }
    close(p->fd);
}

static void *run(void *argument) {
    (void)argument;
    SSL_SESSION *kept = NULL;
    struct peer p;
    int sent = 0;
    while (atomic_fetch_sub(&left, 1) > 0) {
        if (sent == 0) open_peer(&p, &kept);
        say(&p, "MAIL FROM:<ann@elsewhere.example>\r\n", "250");
        say(&p, "RCPT TO:<box@bench.example>\r\n", "250");
        say(&p, "DATA\r\n", "354");
        put(&p, content, length);
        want(&p, "250");
        if (++sent == each) {
            close_peer(&p, &kept);
            sent = 0;
        }
    }
    if (sent) close_peer(&p, &kept);
    return NULL;
}

static void hold(void) {
    struct peer *all = calloc(idle, sizeof *all);
    char octet;
    for (int i = 0; i < idle; i++) open_peer(&all[i], NULL);
    puts("ready");
    fflush(stdout);
    while (read(0, &octet, 1) > 0) {}
}

int main(int argc, char **argv) {
    int option, old = 0;
    while ((option = getopt(argc, argv, "ps:m:n:l:r2I:")) != -1) switch (option) {
        case 'p': plain = 1; break;
        case 's': sessions = atoi(optarg); break;
        case 'm': left = atoi(optarg); break;
        case 'n': each = atoi(optarg); break;
        case 'l': size = atoi(optarg); break;
        case 'r': resumes = 1; break;
        case '2': old = 1; break;
        case 'I': idle = atoi(optarg); break;
        default: return 2;
    }
    if (optind >= argc) return 2;
    port = atoi(argv[optind]);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
    if (old) SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (idle) {
        hold();
        return 0;
    }
    const char *head = "From: ann@elsewhere.example\r\nTo: box@bench.example\r\nSubject: bench\r\nMessage-ID: <bench@elsewhere.example>\r\n\r\n";
    content = malloc(size + 256);
    length = sprintf(content, "%s", head);
    /* Some text, then an attachment in base64. */
    while (length < size) length += sprintf(content + length, "%s\r\n", length < 2048
        ? "This line is prose, as in most mails, with a full stop now and then. So" : "TWFpbCBvZiBzb21lIHNpemUgaXMgbW9zdGx5IGFuIGF0dGFjaG1lbnQsIHdoaWNoIGhhcyBubyBk");
    length += sprintf(content + length, ".\r\n");
    pthread_t threads[256];
    if (sessions > 256) sessions = 256;
    for (int i = 0; i < sessions; i++) pthread_create(&threads[i], NULL, run, NULL);
    for (int i = 0; i < sessions; i++) pthread_join(threads[i], NULL);
    return 0;
}
