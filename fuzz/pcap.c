/* Captures: any bytes, told alike whether fed whole or in pieces. */
#include "events.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = {(const char *)data, size};
    assert_told_alike(&pcap_decoder, input);
    return 0;
}
