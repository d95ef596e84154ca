#pragma once

#include <cstdint>

#include "core/engine/tap.h"
#include "core/model/model_spec.h"
#include "core/replay/memory_capture.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// Taps queries, keys and values of a prefix run into a capture in memory of that number type,
/// whose attention is derived from them, as many rows as a policy asks for.
class PrefixCapture : public TapSink {
 public:
  PrefixCapture(const ModelSpec& spec, std::int64_t n_tokens, DType dtype);

  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override;
  void put(const TapBlock& block) override;

  /// The capture of a whole run; leaves nothing behind. Throws Error{input} where a number is NaN,
  /// infinite or too large for the number type, with its place.
  MemoryCapture take();

 private:
  CaptureInfo info_;
  MemoryCapture::Arrays arrays_;
};

}  // namespace qaq
