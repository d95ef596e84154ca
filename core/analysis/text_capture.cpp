#include "core/analysis/text_capture.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/prefix_capture.h"

namespace qaq {

MemoryCapture capture_of(Engine& engine, std::span<const std::int32_t> ids,
                         const ExperimentContext& context) {
  PrefixCapture taps(engine.spec(), std::ssize(ids), context.dtype);
  engine.keep(0);
  engine.run(ids, &taps, Work(nullptr, context.work.stop_token()));
  return taps.take();
}

std::span<const std::int32_t> beginning_of(const ExperimentContext& context, std::int64_t least,
                                           std::int64_t most) {
  const std::int64_t n = std::min({std::ssize(context.text), most, context.context_length});
  if (n < least) {
    refuse_usage({.place = "--text",
                  .what = cat("the experiment needs ", least, " tokens, but there are ", n),
                  .cure = "give a longer text, or a model with a longer context"});
  }
  return std::span(context.text).first(static_cast<std::size_t>(n));
}

}  // namespace qaq
