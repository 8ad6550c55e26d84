/* Captures: any bytes, told alike whether fed whole or in pieces. */
#include "events.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct told run(struct str input, size_t step) {
    struct told told = {0, 0};
    struct trace_sink sink = {told_event, &told};
    struct trace_options options = {.file = STR("fuzz")};
    void *decoder = pcap_decoder.open(&sink, &options);
    for (size_t at = 0; at < input.len; at += step) {
        size_t end = input.len - at < step ? input.len : at + step;
        pcap_decoder.feed(decoder, str_sub(input, at, end));
    }
    pcap_decoder.end(decoder);
    pcap_decoder.close(decoder);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = {(const char *)data, size};
    LW_ASSERT(pcap_decoder.detect(input) <= 100);
    struct told whole = run(input, size + 1), single = run(input, 1), some = run(input, 19);
    LW_ASSERT(whole.count == single.count && whole.hash == single.hash);
    LW_ASSERT(whole.count == some.count && whole.hash == some.hash);
    return 0;
}
