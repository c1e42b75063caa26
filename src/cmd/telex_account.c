/* The account file: read whole, written whole into a new file that takes the old one's place, under a lock. */
#include "cmd/telex_account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

#define PATH_SIZE 1024

static bool make_folder(char *out, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char base[PATH_SIZE];
    int len = config && config[0] == '/' ? snprintf(base, sizeof base, "%s", config)
              : home && home[0] == '/'   ? snprintf(base, sizeof base, "%s/.config", home)
                                         : -1;
    if (len < 0 || (size_t)len >= sizeof base)
        return false;
    if (mkdir(base, 0700) < 0 && errno != EEXIST)
        return false;
    len = snprintf(out, size, "%s/telex", base);
    return len > 0 && (size_t)len < size && (mkdir(out, 0700) == 0 || errno == EEXIST);
}

static bool path_of(const char *name, char *out, size_t size)
{
    char folder[PATH_SIZE];
    if (!make_folder(folder, sizeof folder))
        return false;
    int len = snprintf(out, size, "%s/%s", folder, name);
    return len > 0 && (size_t)len < size;
}

/* Two programs of one person may start at once. Returns a descriptor to be closed, or -1. */
static int lock(void)
{
    char path[PATH_SIZE];
    if (!path_of("lock", path, sizeof path))
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

json_t *telex_account_all(void)
{
    char path[PATH_SIZE];
    json_error_t error = {0};
    json_t *all = NULL;
    if (path_of("accounts.json", path, sizeof path) && access(path, F_OK) == 0) {
        all = json_load_file(path, 0, &error);
        if (!json_is_object(all) || !json_is_object(json_object_get(all, "accounts"))) {
            fprintf(stderr, "telex: %s: line %d: %s\n", path, error.line, all ? "not an account file" : error.text);
            json_decref(all);
            exit(1); /* rather than overwrite what somebody may still need */
        }
    }
    return all ? all : json_pack("{s:{}}", "accounts");
}

static bool save(json_t *all)
{
    char path[PATH_SIZE], fresh[PATH_SIZE];
    if (!path_of("accounts.json", path, sizeof path) || !path_of("accounts.XXXXXX", fresh, sizeof fresh))
        return false;
    int fd = mkstemp(fresh); /* mode 0600 */
    if (fd < 0)
        return false;
    bool ok = json_dumpfd(all, fd, JSON_INDENT(2)) == 0 && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(fresh, path) == 0;
    if (!ok)
        unlink(fresh);
    return ok;
}

static void copy_field(const json_t *entry, const char *key, char *out, size_t size)
{
    const char *value = json_string_value(json_object_get(entry, key));
    if (snprintf(out, size, "%s", value ? value : "") >= (int)size)
        out[0] = '\0';
}

static void read_entry(const char *uri, const json_t *entry, struct telex_account *ret)
{
    snprintf(ret->uri, sizeof ret->uri, "%s", uri);
    copy_field(entry, "server", ret->server, sizeof ret->server);
    copy_field(entry, "transport", ret->transport, sizeof ret->transport);
    copy_field(entry, "password", ret->password, sizeof ret->password);
    copy_field(entry, "instance", ret->instance, sizeof ret->instance);
}

bool telex_account_find(const char *uri, struct telex_account *ret)
{
    json_t *all = telex_account_all();
    *ret = (struct telex_account){0};
    if (!uri)
        uri = json_string_value(json_object_get(all, "default"));
    const json_t *entry = uri ? json_object_get(json_object_get(all, "accounts"), uri) : NULL;
    if (entry)
        read_entry(uri, entry, ret);
    json_decref(all);
    return entry != NULL;
}

static void put_entry(json_t *all, const struct telex_account *a, bool make_default)
{
    json_t *entry = json_object();
    const struct {
        const char *key, *value;
    } fields[] = {
        {"server", a->server}, {"transport", a->transport}, {"password", a->password}, {"instance", a->instance}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].value[0])
            json_object_set_new(entry, fields[i].key, json_string(fields[i].value));
    }
    json_object_set_new(json_object_get(all, "accounts"), a->uri, entry);
    if (make_default)
        json_object_set_new(all, "default", json_string(a->uri));
}

bool telex_account_store(const struct telex_account *account, bool make_default)
{
    int held = lock();
    json_t *all = telex_account_all();
    put_entry(all, account, make_default || !json_object_get(all, "default"));
    bool ok = held >= 0 && save(all);
    if (!ok)
        fprintf(stderr, "telex: the account cannot be stored in ~/.config/telex: %s\n", strerror(errno));
    json_decref(all);
    if (held >= 0)
        close(held);
    return ok;
}

/* RFC 4122 §4.4. */
static void make_instance(char *out, size_t size)
{
    uint8_t b[16];
    random_fill(random_system(), b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, size, "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void telex_account_need_instance(struct telex_account *account)
{
    int held = lock();
    json_t *all = telex_account_all();
    json_t *accounts = json_object_get(all, "accounts"), *entry = json_object_get(accounts, account->uri);
    copy_field(entry, "instance", account->instance, sizeof account->instance);
    if (!account->instance[0]) {
        make_instance(account->instance, sizeof account->instance);
        if (!entry) {
            entry = json_object();
            json_object_set_new(accounts, account->uri, entry);
        }
        json_object_set_new(entry, "instance", json_string(account->instance));
        if (held < 0 || !save(all))
            account->instance[0] = '\0';
    }
    json_decref(all);
    if (held >= 0)
        close(held);
}

bool telex_account_remove(const char *uri)
{
    int held = lock();
    json_t *all = telex_account_all();
    bool ok = json_object_del(json_object_get(all, "accounts"), uri) == 0;
    const char *chosen = json_string_value(json_object_get(all, "default"));
    if (ok && chosen && strcmp(chosen, uri) == 0)
        json_object_del(all, "default");
    ok = ok && held >= 0 && save(all);
    json_decref(all);
    if (held >= 0)
        close(held);
    return ok;
}
