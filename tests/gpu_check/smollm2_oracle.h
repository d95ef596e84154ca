#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/gpu/cases/check.h"
#include "tests/gpu_check/oracle_folder.h"
#include "tests/support/tap_recorder.h"

namespace qaq::gpu_check {

/// A prompt that the oracle ran SmolLM2 on, or its beginning.
struct OraclePrompt {
  std::string file;
  std::vector<std::int64_t> tokens;
};

std::vector<OraclePrompt> oracle_prompts(const OracleFolder& oracle);

/// Queries, keys, values and attention of layers that the oracle has, by its float32 bounds.
std::vector<cases::CaseRow> compare_layers(const OracleFolder& oracle, const OraclePrompt& prompt,
                                           const std::vector<std::int64_t>& layers,
                                           const test::TapRecorder& taps);

}  // namespace qaq::gpu_check
