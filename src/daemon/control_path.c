/* See control_path.h. */
#include "daemon/control_path.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

int control_path_make(const char *data, struct sockaddr_un *ret, int *ret_folder)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    *ret_folder = -1;
    int len = snprintf(ret->sun_path, sizeof ret->sun_path, "%s/" CONTROL_PATH_NAME, data);
    if (len >= 0 && (size_t)len < sizeof ret->sun_path)
        return ERR_NONE;
    int fd = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_NOT_FOUND;
    (void)snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/" CONTROL_PATH_NAME, fd);
    *ret_folder = fd;
    return ERR_NONE;
}
