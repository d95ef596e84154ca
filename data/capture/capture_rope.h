#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qaq {

/// CaptureInfo::rope_frequencies from a model's config.json and its theta: of RoPE as it was
/// published, on all channels of a head or the leading ones, stretched linearly or not at all.
/// Empty where there is no RoPE (theta 0), or it is stretched in another way: what was turned so is
/// not turned back here.
std::vector<double> plain_rope_frequencies(const std::string& config_json, double theta,
                                           std::int64_t head_dim);

}  // namespace qaq
