// The entry of libFuzzer for programs that have a main of their own. No header of the toolchain declares it for Swift.
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
