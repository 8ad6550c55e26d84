#include "watch/book.h"

#include <stdlib.h>

struct row_write *row_write_new(size_t column_max, size_t guard_max) {
    struct row_write *write = mem_alloc(sizeof(*write) + (column_max + guard_max) * sizeof(struct column_write));
    struct column_write *columns = (struct column_write *)(write + 1);
    *write = (struct row_write){.row_count = -1, .commit_us = -1, .columns = columns, .guards = columns + column_max};
    return write;
}

struct seen_value seen_keep(struct seen_value value) {
    if (value.text.ptr == NULL)
        return value;
    size_t len = value.text.len < SEEN_TEXT_MAX ? value.text.len : SEEN_TEXT_MAX;
    char *copy = mem_alloc(len + 1);
    memcpy(copy, value.text.ptr, len);
    copy[len] = '\0';
    value.text = (struct str){copy, len};
    return value;
}

static void seen_free(struct seen_value *value) {
    if (value->text.ptr != NULL)
        free((char *)value->text.ptr);
}

void column_write_free(struct column_write *column) {
    seen_free(&column->value);
    seen_free(&column->base);
}

static void columns_free(struct column_write *columns, size_t count) {
    for (size_t i = 0; i < count; i++)
        column_write_free(&columns[i]);
}

const struct column_write *write_column(const struct row_write *write, uint32_t column) {
    for (size_t i = 0; i < write->column_count; i++)
        if (write->columns[i].column == column)
            return &write->columns[i];
    return NULL;
}

void row_write_free(struct row_write *write) {
    if (write == NULL)
        return;
    columns_free(write->columns, write->column_count);
    columns_free(write->guards, write->guard_count);
    seen_free(&write->key);
    free(write);
}

void column_values_free(struct column_value *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        seen_free(&values[i].value);
    free(values);
}

static size_t bytes_of(const struct row_write *write) {
    enum { BLOCK = 16 }; /* what malloc takes for itself */
    size_t bytes = sizeof(*write) + BLOCK;
    size_t columns = write->column_count + write->guard_count;
    bytes += columns * sizeof(*write->columns);
    for (size_t i = 0; i < write->column_count; i++)
        bytes += write->columns[i].value.text.len + write->columns[i].base.text.len;
    return bytes;
}

void book_init(struct book *book, size_t byte_max) {
    *book = (struct book){.slot_count = 1024, .byte_max = byte_max};
    book->slots = mem_alloc(book->slot_count * sizeof(*book->slots));
    memset(book->slots, 0, book->slot_count * sizeof(*book->slots));
}

static void unlink_row(struct book *book, struct book_row *row) {
    *(row->newer != NULL ? &row->newer->older : &book->newest) = row->older;
    *(row->older != NULL ? &row->older->newer : &book->oldest) = row->newer;
}

static void link_newest(struct book *book, struct book_row *row) {
    row->newer = NULL;
    row->older = book->newest;
    *(book->newest != NULL ? &book->newest->newer : &book->oldest) = row;
    book->newest = row;
}

static void free_row(struct book *book, struct book_row *row) {
    for (size_t i = 0; i < VERSIONS_MAX && row->versions[i] != NULL; i++) {
        book->byte_count -= bytes_of(row->versions[i]);
        row_write_free(row->versions[i]);
    }
    book->byte_count -= sizeof(*row);
    book->row_count--;
    free(row);
}

static struct book_row **place_of(struct book *book, uint64_t row) {
    struct book_row **place = &book->slots[row & (book->slot_count - 1)];
    while (*place != NULL && (*place)->row != row)
        place = &(*place)->next;
    return place;
}

static void evict(struct book *book) {
    while (book->byte_count > book->byte_max && book->oldest != book->newest) {
        struct book_row *row = book->oldest;
        unlink_row(book, row);
        *place_of(book, row->row) = row->next;
        free_row(book, row);
        book->evicted_count++;
    }
}

void book_release(struct book *book) {
    while (book->newest != NULL) {
        struct book_row *row = book->newest;
        book->newest = row->older;
        free_row(book, row);
    }
    free(book->slots);
    *book = (struct book){0};
}

struct book_row *book_find(struct book *book, uint64_t row) {
    return *place_of(book, row);
}

static void grow(struct book *book) {
    size_t count = book->slot_count * 2;
    struct book_row **slots = mem_alloc(count * sizeof(*slots));
    memset(slots, 0, count * sizeof(*slots));
    for (struct book_row *row = book->newest; row != NULL; row = row->older) {
        row->next = slots[row->row & (count - 1)];
        slots[row->row & (count - 1)] = row;
    }
    free(book->slots);
    book->slots = slots;
    book->slot_count = count;
}

void book_add(struct book *book, struct row_write *write) {
    struct book_row *row = book_find(book, write->row);
    if (row == NULL) {
        row = mem_alloc(sizeof(*row));
        *row = (struct book_row){.row = write->row};
        *place_of(book, write->row) = row;
        link_newest(book, row);
        book->byte_count += sizeof(*row);
        if (++book->row_count > book->slot_count)
            grow(book);
    } else {
        unlink_row(book, row);
        link_newest(book, row);
    }
    struct row_write *last = row->versions[VERSIONS_MAX - 1];
    if (last != NULL)
        book->byte_count -= bytes_of(last);
    row_write_free(last);
    memmove(row->versions + 1, row->versions, (VERSIONS_MAX - 1) * sizeof(row->versions[0]));
    row->versions[0] = write;
    book->byte_count += bytes_of(write);
    evict(book);
}
