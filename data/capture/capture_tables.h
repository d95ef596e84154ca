#pragma once

#include <cstdint>

#include "data/capture/capture_stats.h"
#include "data/capture/capture_writer.h"
#include "data/capture/h5_file.h"
#include "data/capture/logits_table.h"

namespace qaq {

/// Writes /entry/logits of the first `n_tokens` rows. For the HDF5 thread, like the next.
void write_logits(const h5::File& file, const LogitsTable& logits, std::int64_t n_tokens);

/// Writes /entry/query/norm2 and /entry/stats, whose attention part is there where scores are.
void write_stats(const h5::File& file, const CaptureStats& stats, const CapturePlan& plan,
                 std::int64_t n_tokens);

}  // namespace qaq
