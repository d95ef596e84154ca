#pragma once

#include <cstdint>
#include <vector>

#include "data/capture/capture_stats.h"
#include "data/capture/capture_writer.h"
#include "data/capture/h5_file.h"
#include "data/capture/h5_packed.h"
#include "data/capture/logits_table.h"

namespace qaq {

/// Writes /entry/logits of the first `n_tokens` rows. For the HDF5 thread, like write_stats().
void write_logits(const h5::File& file, const LogitsTable& logits, std::int64_t n_tokens);

/// /entry/query/norm2 and /entry/stats, whose attention part is there where scores are. For any
/// thread.
std::vector<h5::PackedArray> packed_stats(const CaptureStats& stats, const CapturePlan& plan,
                                          std::int64_t n_tokens);
void write_stats(const h5::File& file, const std::vector<h5::PackedArray>& stats);

}  // namespace qaq
