/* CRC-32 of IEEE 802.3, eight bytes at a time: the tables tell what each of them does to the sum. */
#include "binlog/internal.h"

#include <pthread.h>

static uint32_t tables[8][256];

static void fill(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t sum = i;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xEDB88320) : 0);
        tables[0][i] = sum;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t i = 0; i < 256; i++)
            tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xFF];
}

static uint32_t load(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t crc32_of(uint32_t before, struct str bytes) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    size_t len = bytes.len;
    uint32_t sum = ~before;
    for (; len >= 8; len -= 8, at += 8) {
        uint32_t low = load(at) ^ sum, high = load(at + 4);
        sum = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
              tables[4][low >> 24] ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^
              tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
    }
    for (; len > 0; len--, at++)
        sum = sum >> 8 ^ tables[0][(sum ^ *at) & 0xFF];
    return ~sum;
}
