#pragma once

#include <cstdint>
#include <string>

namespace qaq::bench {

/// What this machine can do at most, on as many threads as the engine uses; to hold times against.

/// float32 operations a second with vectors of fused multiply-adds in registers.
double fma_peak();

/// Bytes a second when memory that no cache holds is read.
double read_rate();

/// Bytes a second, read and written together, when memory that no cache holds is copied.
double copy_rate();

/// Seconds that plain write() takes for so many bytes of memory in a new file, in pieces of 8 MiB.
double write_seconds(const std::string& path, std::int64_t n_bytes);

}  // namespace qaq::bench
