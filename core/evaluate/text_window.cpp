#include "core/evaluate/text_window.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::vector<TextWindow> text_windows(std::int64_t n_tokens, std::int64_t window,
                                     std::int64_t stride) {
  if (stride < 1 || stride >= window) {
    refuse_usage({.place = "--stride",
                  .what = cat(stride, " is out of range for windows of ", window, " tokens"),
                  .cure = cat("give 1 to ", window - 1)});
  }
  const std::int64_t n_prefix = window - stride;
  if (n_tokens <= n_prefix) {
    refuse_usage(
        {.place = "--window",
         .what = cat("the text has ", n_tokens, " tokens, and none behind a prefix of ", n_prefix),
         .cure = "give a longer text or a smaller window"});
  }
  std::vector<TextWindow> out;
  for (std::int64_t first = 0; first + n_prefix < n_tokens; first += stride) {
    out.push_back({first, std::min(window, n_tokens - first), n_prefix});
  }
  return out;
}

std::string id_of(const TextWindow& window) {
  return cat("tokens ", window.first, " to ", window.first + window.n_tokens - 1);
}

ItemResult score_window(PrefixRun& run, std::span<const std::int32_t> text,
                        const TextWindow& window, const Work& work) {
  ItemBuilder builder(run, id_of(window));
  const auto ids = text.subspan(static_cast<std::size_t>(window.first),
                                static_cast<std::size_t>(window.n_tokens));
  const auto n_prefix = static_cast<std::size_t>(window.n_prefix);
  run.set_prefix(ids.first(n_prefix), work);
  builder.add_cache();
  std::vector<std::int32_t> next(ids.begin() + window.n_prefix + 1, ids.end());
  const auto end = static_cast<std::size_t>(window.first + window.n_tokens);
  next.push_back(end < text.size() ? text[end] : -1);
  builder.add_tail(run.run_tail({ids.subspan(n_prefix), next}, work));
  return builder.finish();
}

}  // namespace qaq
