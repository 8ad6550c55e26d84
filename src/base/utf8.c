#include "base/utf8.h"

int32_t utf8_decode(struct str text, size_t *len) {
    *len = 1;
    if (text.len == 0)
        return -1;
    const unsigned char *byte = (const unsigned char *)text.ptr;
    if (byte[0] < 0x80)
        return byte[0];
    size_t want = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || text.len < want)
        return -1;
    int32_t point = byte[0] & (0xff >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return -1;
        point = point << 6 | (byte[i] & 0x3f);
    }
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[want] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return -1;
    *len = want;
    return point;
}

size_t utf8_sequence_len(struct str text) {
    size_t len;
    return utf8_decode(text, &len) >= 0 ? len : 0;
}

size_t utf8_utf16_len(struct str text) {
    size_t units = 0, len;
    for (size_t at = 0; at < text.len; at += len)
        units += utf8_decode(str_sub(text, at, text.len), &len) > 0xffff ? 2 : 1;
    return units;
}

char *utf8_put(char *out, uint32_t point) {
    if (point < 0x80) {
        *out++ = (char)point;
        return out;
    }
    if (point < 0x800) {
        *out++ = (char)(0xc0 | point >> 6);
    } else {
        if (point < 0x10000) {
            *out++ = (char)(0xe0 | point >> 12);
        } else {
            *out++ = (char)(0xf0 | point >> 18);
            *out++ = (char)(0x80 | (point >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (point >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (point & 0x3f));
    return out;
}
