/* Listeners once they are bound, and over a reload: see config.h. */
#include <ifaddrs.h>
#include <netinet/in.h>

#include "base/err.h"
#include "daemon/config.h"

static void add_us(struct config *c, const struct server_listener *like, const struct address *ip)
{
    struct server_listener *listeners = (struct server_listener *)(uintptr_t)c->server.listeners;
    if (c->server.listener_count == CONFIG_US_MAX)
        return;
    struct server_listener *l = &listeners[c->server.listener_count++];
    *l = *like;
    l->address = *ip;
    l->address.port = like->address.port;
}

static int add_interfaces(struct config *c, const struct server_listener *like)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return ERR_IO;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        struct address ip = {0};
        if (!i->ifa_addr)
            continue;
        if (i->ifa_addr->sa_family == AF_INET && like->address.family == 4) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)i->ifa_addr;
            ip.family = 4;
            memcpy(ip.ip, &in->sin_addr, 4);
        } else if (i->ifa_addr->sa_family == AF_INET6 && like->address.family == 6) {
            const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;
            ip.family = 6;
            memcpy(ip.ip, &in->sin6_addr, 16);
        } else {
            continue;
        }
        add_us(c, like, &ip);
    }
    freeifaddrs(all);
    return ERR_NONE;
}

int config_set_bound(struct config *c, size_t i, const struct address *bound)
{
    struct server_listener *l = (struct server_listener *)(uintptr_t)&c->server.listeners[i];
    c->listeners[i].address = *bound;
    l->address = *bound;
    return address_is_any(bound) ? add_interfaces(c, l) : ERR_NONE;
}

static bool is_same_listener(const struct net_listener *now, const struct net_listener *running)
{
    struct address at = now->address;
    if (at.port == 0)
        at.port = running->address.port; /* the kernel picked it */
    return now->transport == running->transport && address_eq(&at, &running->address) &&
           slice_eq(now->advertised, running->advertised);
}

static bool has_same_listeners(const struct config *c, const struct config *running)
{
    if (c->listener_count != running->listener_count)
        return false;
    for (size_t i = 0; i < c->listener_count; i++)
        if (!is_same_listener(&c->listeners[i], &running->listeners[i]))
            return false;
    return true;
}

static int copy_listeners(struct config *c, const struct config *running)
{
    struct server_listener *to = (struct server_listener *)(uintptr_t)c->server.listeners;
    c->listeners = arena_alloc(&c->arena, (running->listener_count + 1) * sizeof *c->listeners);
    if (!c->listeners)
        return ERR_NO_MEMORY;
    c->listener_count = running->listener_count;
    c->server.listener_count = running->server.listener_count;
    memcpy(c->listeners, running->listeners, c->listener_count * sizeof *c->listeners);
    memcpy(to, running->server.listeners, c->server.listener_count * sizeof *to);
    for (size_t i = 0; i < c->listener_count; i++)
        c->listeners[i].advertised = arena_copy(&c->arena, running->listeners[i].advertised);
    for (size_t i = 0; i < c->server.listener_count; i++)
        to[i].public_name = arena_copy(&c->arena, running->server.listeners[i].public_name);
    return ERR_NONE;
}

int config_keep_listeners(struct config *c, const struct config *running, bool *ret_differs)
{
    *ret_differs = !has_same_listeners(c, running);
    if (*ret_differs)
        return copy_listeners(c, running);
    for (size_t i = 0; i < c->listener_count; i++) {
        int err = config_set_bound(c, i, &running->listeners[i].address);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}
