/* Child processes by pidfd: no signal handler, no waiting. */
#include "cmd/telex_exec.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The body as a file: however large, nobody has to feed a pipe. */
static int body_file(const struct telex_incoming *m)
{
    int fd = memfd_create("telex-message", MFD_CLOEXEC);
    const char *at = m->body;
    size_t left = m->body_len;
    while (fd >= 0 && left > 0) {
        ssize_t n = write(fd, at, left);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        at += n;
        left -= (size_t)n;
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void run_child(const char *command, const struct telex_incoming *m, int input)
{
    sigset_t none;
    setenv("TELEX_FROM", m->from, 1);
    setenv("TELEX_TO", m->to, 1);
    setenv("TELEX_MESSAGE_ID", m->message_id ? m->message_id : "", 1);
    setenv("TELEX_CONTENT_TYPE", m->content_type ? m->content_type : "", 1);
    unsetenv("TELEX_PASSWORD");
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

int telex_exec_start(const char *command, const struct telex_incoming *m)
{
    int input = body_file(m);
    if (input < 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        run_child(command, m, input);
    close(input);
    return child < 0 ? -1 : pidfd_open(child, 0);
}

bool telex_exec_finish(int fd)
{
    siginfo_t info = {0};
    bool ok = waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0 && info.si_code == CLD_EXITED && info.si_status == 0;
    close(fd);
    return ok;
}
