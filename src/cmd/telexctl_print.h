/* Answers as text for people or as JSON for programs. */
#ifndef TELEXCTL_PRINT_H
#define TELEXCTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>

/* A column of a table: the key of the items and the heading. */
struct print_column {
    const char *key, *heading;
};

/* Collects the items of a list and prints them aligned, or as one JSON array. */
struct print_list {
    const struct print_column *columns;
    size_t column_count;
    bool json;
    json_t *items;
};

void telexctl_print_list_init(struct print_list *list, const struct print_column *columns, size_t count, bool json);
/* For telexctl_client_ask; `context` is the list. */
void telexctl_print_list_add(void *context, json_t *item);
/* Prints all and frees. `nothing` is said to people when the list is empty. */
void telexctl_print_list_end(struct print_list *list, const char *nothing);
/* One object as JSON in one line. */
void telexctl_print_json(const json_t *object);
/* Peers' text for a terminal: control characters become "?". */
void telexctl_print_safe(const char *text);

#endif
