#include "wire/reader.h"

struct reader reader_of(struct str bytes) {
    const unsigned char *at = (const unsigned char *)(bytes.ptr != NULL ? bytes.ptr : "");
    return (struct reader){at, at + bytes.len, false};
}

size_t reader_left(const struct reader *reader) {
    return (size_t)(reader->end - reader->at);
}

struct str read_bytes(struct reader *reader, uint64_t count) {
    struct str bytes = {(const char *)reader->at, 0};
    if (count > reader_left(reader)) {
        reader->is_short = true;
        reader->at = reader->end;
        return bytes;
    }
    bytes.len = (size_t)count;
    reader->at += count;
    return bytes;
}

struct str read_rest(struct reader *reader) {
    return read_bytes(reader, reader_left(reader));
}

struct str read_c_string(struct reader *reader) {
    const void *nul = memchr(reader->at, 0, reader_left(reader));
    if (nul == NULL) {
        struct str rest = read_rest(reader);
        reader->is_short = true;
        return rest;
    }
    struct str text = read_bytes(reader, (size_t)((const unsigned char *)nul - reader->at));
    reader->at++;
    return text;
}

uint64_t read_be(struct reader *reader, size_t byte_count) {
    struct str bytes = read_bytes(reader, byte_count);
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.len; i++)
        number = number << 8 | (unsigned char)bytes.ptr[i];
    return number;
}

uint64_t read_le(struct reader *reader, size_t byte_count) {
    struct str bytes = read_bytes(reader, byte_count);
    uint64_t number = 0;
    for (size_t i = bytes.len; i > 0; i--)
        number = number << 8 | (unsigned char)bytes.ptr[i - 1];
    return number;
}

uint8_t read_byte(struct reader *reader) {
    return (uint8_t)read_le(reader, 1);
}

uint64_t read_lenenc(struct reader *reader) {
    uint8_t first = read_byte(reader);
    if (first < 0xfb)
        return first;
    if (first == 0xfb || first == 0xff) {
        reader->is_short = true;
        return 0;
    }
    return read_le(reader, first == 0xfc ? 2 : first == 0xfd ? 3 : 8);
}

struct str read_lenenc_str(struct reader *reader) {
    return read_bytes(reader, read_lenenc(reader));
}
