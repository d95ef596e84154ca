#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/tap.h"
#include "core/model/model_spec.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// What a capture file is to hold; known before the run starts.
struct CapturePlan {
  CaptureInfo info;  ///< model, layers, dtype, profile, has_queries, prompt_text, n_prompt,
                     ///< special_ids ... token lists are given to finish()
  std::string tokenizer_kind;
  std::string tokenizer_sha256;
  std::int64_t max_tokens = 0;        ///< prompt + the most that may be generated
  bool may_end_early = false;         ///< generation may stop at an end token
  std::int64_t attention_window = 0;  ///< N of profile window
  std::int64_t top_k = 32;            ///< logits kept a row
};

/// Predicted file size in bytes for T tokens; what `qaq info MODEL` and `qaq capture` say
/// beforehand.
std::int64_t predicted_capture_bytes(const CapturePlan& plan);

/// Bytes that leave a GPU for such a capture: activations in the plan's dtype, of scores the lower
/// triangle in float32, each row up to a multiple of 16 bytes, and summaries of logits. With
/// profile window of scores the rows that may be stored, and statistics of those of the prompt
/// before them. A prompt so long that the rows of one head go in parts has its key sums sent with
/// each.
std::int64_t predicted_link_bytes(const CapturePlan& plan);

/// Tokens of a finished run.
struct CaptureTokens {
  std::vector<std::int32_t> ids;   ///< (T)
  std::vector<std::string> text;   ///< (T), display form
  std::vector<std::string> bytes;  ///< (T)
};

/// Writes a capture to `path`.partial as taps arrive, and renames it when finish() has made it
/// whole. Destroyed without finish(): the partial file is removed and `path` is untouched.
class CaptureWriter : public TapSink {
 public:
  /// `provenance_json` becomes an attribute of /entry.
  static std::unique_ptr<CaptureWriter> create(const std::string& path, const CapturePlan& plan);
  /// Writes tokens, axes, statistics, NXdata and attributes, closes and renames.
  virtual void finish(const CaptureTokens& tokens, const std::string& provenance_json) = 0;
};

}  // namespace qaq
