/* See telexctl_print.h. */
#include "cmd/telexctl_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16

void telexctl_print_list_init(struct print_list *list, const struct print_column *columns, size_t count, bool json)
{
    *list = (struct print_list){.columns = columns, .column_count = count, .json = json, .items = json_array()};
}

void telexctl_print_list_add(void *context, json_t *item)
{
    struct print_list *list = context;
    (void)json_array_append(list->items, item);
}

void telexctl_print_json(const json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
}

void telexctl_print_safe(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool c1 = p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0; /* as UTF-8 */
        if (*p < 0x20 || *p == 0x7F || c1)
            putchar('?');
        else
            putchar(*p);
        p += c1;
    }
}

/* The text of one cell; numbers and booleans as words. */
static const char *cell(const json_t *item, const char *key, char *room, size_t size)
{
    const json_t *value = json_object_get(item, key);
    if (json_is_string(value))
        return json_string_value(value);
    room[0] = 0;
    if (json_is_integer(value))
        (void)snprintf(room, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        (void)snprintf(room, size, "%s", json_is_true(value) ? "yes" : "no");
    return room;
}

/* Characters as a terminal counts most of them: UTF-8 continuation octets take no room. */
static size_t width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void print_cell(const char *text, size_t wide, bool is_last)
{
    telexctl_print_safe(text);
    for (size_t n = width(text); !is_last && n < wide + 2; n++)
        putchar(' ');
}

static void print_table(const struct print_list *list)
{
    size_t wide[COLUMNS_MAX] = {0}, i;
    char room[32];
    json_t *item;
    for (size_t c = 0; c < list->column_count; c++) {
        wide[c] = width(list->columns[c].heading);
        json_array_foreach(list->items, i, item)
        {
            size_t w = width(cell(item, list->columns[c].key, room, sizeof room));
            wide[c] = w > wide[c] ? w : wide[c];
        }
    }
    for (size_t c = 0; c < list->column_count; c++)
        print_cell(list->columns[c].heading, wide[c], c + 1 == list->column_count);
    putchar('\n');
    json_array_foreach(list->items, i, item)
    {
        for (size_t c = 0; c < list->column_count; c++)
            print_cell(cell(item, list->columns[c].key, room, sizeof room), wide[c], c + 1 == list->column_count);
        putchar('\n');
    }
}

void telexctl_print_list_end(struct print_list *list, const char *nothing)
{
    if (list->json)
        telexctl_print_json(list->items);
    else if (json_array_size(list->items) == 0)
        printf("%s\n", nothing);
    else
        print_table(list);
    json_decref(list->items);
}
