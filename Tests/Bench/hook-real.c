/* Stands for qmail-remote: reads what that opens before it dials, all of its descriptor 0, and reports success. */
#include <fcntl.h>
#include <unistd.h>

int main(void) {
    static const char *const files[] = { "control/me", "control/helohost", "control/smtproutes", "control/timeoutremote", "/etc/resolv.conf" };
    static const char report[] = "r192.0.2.1 accepted message.\0K192.0.2.1 accepted message.\n";
    char buffer[65536];
    for (unsigned index = 0; index < sizeof files / sizeof *files; index++) {
        int fd = open(files[index], O_RDONLY);
        if (fd >= 0 && (read(fd, buffer, sizeof buffer) < 0 || close(fd) < 0)) return 111;
    }
    while (read(0, buffer, sizeof buffer) > 0) continue;
    return write(1, report, sizeof report) < 0 ? 111 : 0;
}
