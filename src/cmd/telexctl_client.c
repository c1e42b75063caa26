/* See telexctl_client.h. */
#include "cmd/telexctl_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/control_path.h"

struct client {
    FILE *in;
    int out;
};

static enum telexctl_exit not_running(const char *data, int why)
{
    if (why == EACCES)
        fprintf(stderr, "telexctl: no permission for %s/" CONTROL_PATH_NAME "; try as the user that runs telexd\n",
                data);
    else
        fprintf(stderr,
                "telexctl: no telexd runs with the data folder %s\n"
                "Start one with: telexd --data %s    or name its folder with --data DIR\n",
                data, data);
    return TELEXCTL_EXIT_NOT_RUNNING;
}

enum telexctl_exit telexctl_client_open(const char *data, struct client **ret)
{
    struct sockaddr_un name;
    int folder;
    if (control_path_make(data, &name, &folder) != ERR_NONE)
        return not_running(data, errno);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0;
    int why = errno;
    if (folder >= 0)
        close(folder);
    struct client *c = connected ? calloc(1, sizeof *c) : NULL;
    if (c)
        c->in = fdopen(fd, "r");
    if (!c || !c->in) {
        if (fd >= 0)
            close(fd);
        free(c);
        return not_running(data, why);
    }
    c->out = fd;
    *ret = c;
    return TELEXCTL_EXIT_OK;
}

void telexctl_client_close(struct client *c)
{
    if (!c)
        return;
    (void)fclose(c->in);
    free(c);
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_request(struct client *c, json_t *request)
{
    char *line = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!line)
        return false;
    size_t len = strlen(line);
    line[len] = '\n'; /* in the place of the NUL */
    bool ok = send_all(c->out, line, len + 1);
    explicit_bzero(line, len); /* it may carry a password */
    free(line);
    return ok;
}

static enum telexctl_exit end(json_t *answer, json_t **ret_answer)
{
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *why = json_string_value(json_object_get(answer, "error"));
        fprintf(stderr, "telexctl: %s\n", why ? why : "telexd said something that is no answer");
        json_decref(answer);
        return TELEXCTL_EXIT_REFUSED;
    }
    (void)json_object_del(answer, "ok");
    *ret_answer = answer;
    return TELEXCTL_EXIT_OK;
}

enum telexctl_exit telexctl_client_ask(struct client *c, json_t *request, void (*item)(void *context, json_t *item),
                                       void *context, json_t **ret_answer)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len = 0;
    if (!send_request(c, request)) {
        fprintf(stderr, "telexctl: telexd closed the connection\n");
        return TELEXCTL_EXIT_REFUSED;
    }
    while ((len = getline(&line, &size, c->in)) > 0) {
        json_t *object = json_loadb(line, (size_t)len, 0, NULL);
        json_t *inner = json_object_get(object, "item");
        if (!inner) {
            free(line);
            return end(object, ret_answer);
        }
        if (item)
            item(context, inner);
        json_decref(object);
    }
    free(line);
    fprintf(stderr, "telexctl: telexd ended before it answered\n");
    return TELEXCTL_EXIT_REFUSED;
}
