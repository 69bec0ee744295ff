/* A milter that does nothing, for comparison: it takes part in every step that the MTA offers and answers "accept" at MAIL.
 * A thread a connection, blocking. The packets: length (4 octets, network order, of the rest), command, data; milter protocol
 * version 6 as Postfix and libmilter speak it. Usage: milter-idle PORT [all]. With "all" it accepts at the end of the message
 * only, asks for no replies to header fields, and skips the body.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int takes_all;

static int whole(int fd, void *to, size_t count) {
    char *place = to;
    while (count > 0) {
        ssize_t got = read(fd, place, count);
        if (got <= 0) return 0;
        place += got;
        count -= (size_t)got;
    }
    return 1;
}

static int say(int fd, char command, const void *data, uint32_t count) {
    char packet[64];
    uint32_t length = htonl(count + 1);
    memcpy(packet, &length, 4);
    packet[4] = command;
    memcpy(packet + 5, data, count);
    return write(fd, packet, 5 + count) == (ssize_t)(5 + count);
}

static void *serve(void *given) {
    int fd = (int)(intptr_t)given;
    uint32_t length;
    char *data = malloc(1 << 20);
    while (data != NULL && whole(fd, &length, 4)) {
        length = ntohl(length);
        if (length == 0 || length > 1 << 20 || !whole(fd, data, length)) break;
        int fine = 1;
        switch (data[0]) {
        case 'O': {                                     /* options: version 6, no changes, all steps */
            uint32_t options[3] = { htonl(6), 0, htonl(takes_all ? 0x80 | 0x400 : 0) };
            fine = say(fd, 'O', options, sizeof options);
            break;
        }
        case 'D': case 'A': case 'K': break;            /* macros, abort, quit and go on: no answer */
        case 'Q': fine = 0; break;
        case 'M': fine = say(fd, takes_all ? 'c' : 'a', "", 0); break;      /* accept */
        case 'L': fine = takes_all || say(fd, 'c', "", 0); break;           /* a header field */
        case 'B': fine = say(fd, takes_all ? 's' : 'c', "", 0); break;      /* skip */
        default: fine = say(fd, 'c', "", 0);            /* continue */
        }
        if (!fine) break;
    }
    free(data);
    close(fd);
    return NULL;
}

int main(int count, char **arguments) {
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (count < 2) return 64;
    takes_all = count > 2;
    address.sin_port = htons((uint16_t)atoi(arguments[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 128) != 0) {
        perror("milter-idle");
        return 71;
    }
    for (;;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0) pthread_detach(thread); else close(fd);
    }
}
