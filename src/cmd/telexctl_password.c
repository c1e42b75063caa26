/* See telexctl_password.h. */
#include "cmd/telexctl_password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>

static bool read_line(FILE *in, char *out, size_t out_size)
{
    if (!fgets(out, (int)out_size, in)) {
        fprintf(stderr, "telexctl: expected a password, in one line\n");
        return false;
    }
    size_t len = strcspn(out, "\n");
    if (out[len] != '\n' && len + 1 == out_size) {
        fprintf(stderr, "telexctl: the password has more than %zu octets\n", out_size - 2);
        return false;
    }
    out[len] = 0;
    return true;
}

static bool ask(FILE *terminal, const char *question, char *out, size_t out_size)
{
    struct termios shown, hidden;
    int fd = fileno(terminal);
    if (tcgetattr(fd, &shown) != 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(terminal, "%s: ", question);
    (void)fflush(terminal);
    (void)tcsetattr(fd, TCSAFLUSH, &hidden);
    bool ok = read_line(terminal, out, out_size);
    (void)tcsetattr(fd, TCSAFLUSH, &shown);
    fprintf(terminal, "\n");
    return ok;
}

bool telexctl_password_read(bool from_stdin, char *out, size_t out_size)
{
    char again[2048];
    if (from_stdin)
        return read_line(stdin, out, out_size);
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (!terminal) {
        fprintf(stderr, "telexctl: no terminal to ask for the password: use --password-stdin\n");
        return false;
    }
    bool ok = ask(terminal, "Password", out, out_size) && ask(terminal, "Again", again, sizeof again);
    if (ok && strcmp(out, again) != 0) {
        fprintf(stderr, "telexctl: the two are not the same\n");
        ok = false;
    }
    explicit_bzero(again, sizeof again);
    (void)fclose(terminal);
    return ok;
}
