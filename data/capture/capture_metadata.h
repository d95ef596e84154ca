#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/capture/capture_writer.h"
#include "data/capture/h5_file.h"

namespace qaq {

/// The parts of a capture that are small. All for the HDF5 thread.

/// The groups, and the attributes that are known before the run.
void write_skeleton(const h5::File& file, const CapturePlan& plan);
void write_tokens(const h5::File& file, const CaptureTokens& tokens);
/// /entry/axes; `query_token` gives the positions of the attention rows (none: no such axis).
void write_axes(const h5::File& file, const CaptureInfo& info, std::int64_t n_tokens,
                const std::vector<std::int32_t>& query_token);
/// /entry/importance as NXdata, of links to statistics that are there already.
void write_importance(const h5::File& file);
/// Scales, labels, names and units of every dataset under /entry that is there.
void describe_datasets(const h5::File& file, const CaptureInfo& info);

}  // namespace qaq
