#include "gpu/codec/mixed_cache.h"

#include <algorithm>
#include <cuda_runtime_api.h>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/quant/arith.h"
#include "gpu/cuda/kernels/assign_slots.h"
#include "gpu/cuda/kernels/unpack_pages.h"
#include "gpu/device/error.h"

namespace qaq::cuda {
namespace {

// Blocks that go from list to list. What a block needs to assign slots is small; to write pages it
// needs a list's rows.
constexpr std::int64_t kAssignWorkers = 512;
constexpr std::int64_t kWriteWorkers = 64;

std::int32_t n_assign_workers(const PagedCache& cache) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(cache.n_lists, kAssignWorkers));
}
std::int32_t n_write_workers(const PagedCache& cache) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(cache.n_lists, kWriteWorkers));
}

void refuse(const char* place, std::string what, const char* cure) {
  refuse_usage({.place = place, .what = std::move(what), .cure = cure});
}

void check_limits(const MixedCacheLimits& limits) {
  const QuantizerSpec& quantizer = limits.quantizer;
  if (quantizer.level == Level::no_quantization) {
    refuse("level", "no-quantization has nothing to pack", "leave the cache as it is");
  }
  if (quantizer.method != Method::uniform) {
    refuse("method", "normal has no pages on the GPU: its codes are no steps",
           "set method=uniform, or run with --device cpu");
  }
  if (quantizer.outlier_rule != OutlierRule::quantile) {
    refuse("outlier_rule", "nsigma has no kernel on the GPU",
           "set outlier_rule=quantile, or run with --device cpu");
  }
  if (limits.shape.head_dim < 1 || limits.shape.head_dim > kMaxPageDim) {
    refuse("head_dim",
           cat(limits.shape.head_dim, " channels a head, pages hold up to ", kMaxPageDim),
           "run with --device cpu");
  }
  if (limits.n_bits_min < 0 || limits.n_bits_max > kMaxBits ||
      limits.n_bits_min > limits.n_bits_max) {
    refuse("n_bits_max", cat("no widths from ", limits.n_bits_min, " to ", limits.n_bits_max),
           "give 0 to 16 bits");
  }
  const std::int64_t n_widths = limits.n_bits_max - limits.n_bits_min + 1;
  if (pages_needed(limits.shape.n_tokens, n_widths) > kMaxPages) {
    refuse("max_tokens", cat(limits.shape.n_tokens, " tokens, pages hold some ", 16 * kMaxPages),
           "give fewer tokens, or run with --device cpu");
  }
}

// Room for the outliers of a list. Of a head's unit the ratio says how many a row has, but for
// ties; of units of more rows one row may have more than its share.
std::int64_t outlier_room(const MixedCacheLimits& limits, std::int64_t unit_size) {
  const double ratio = limits.quantizer.outliers_ratio;
  if (ratio == 0) return 0;
  const std::int64_t d = limits.shape.head_dim, rows = unit_size / d;
  const std::int64_t low = k_low(ratio, unit_size), high = k_high(ratio, unit_size);
  std::int64_t a_row = d;
  if (high > low) {
    const std::int64_t in_unit = low + unit_size - high + 1;
    a_row = rows == 1 ? in_unit : std::min(in_unit, 4 * (in_unit / rows + 1));
  }
  if (limits.outliers_per_row >= 0) a_row = limits.outliers_per_row;
  // A list of few rows has at least room for one that is nothing else.
  return std::min(limits.shape.n_tokens * d, limits.shape.n_tokens * std::min(a_row, d) + d);
}

PagedCache sizes_of(const MixedCacheLimits& limits) {
  check_limits(limits);
  const UnitLayout layout(limits.quantizer.level, limits.shape);
  PagedCache cache;
  cache.side = limits.side;
  cache.rule = limits.quantizer.range_rule;
  cache.dtype = limits.dtype;
  cache.n_lists = static_cast<std::int32_t>(limits.shape.n_layers * limits.shape.n_kv_heads);
  cache.n_kv_heads = static_cast<std::int32_t>(limits.shape.n_kv_heads);
  cache.head_dim = static_cast<std::int32_t>(limits.shape.head_dim);
  cache.max_tokens = static_cast<std::int32_t>(limits.shape.n_tokens);
  cache.max_pages = static_cast<std::int32_t>(
      pages_needed(limits.shape.n_tokens, limits.n_bits_max - limits.n_bits_min + 1));
  cache.max_bits = limits.n_bits_max;
  cache.max_outliers = static_cast<std::int32_t>(outlier_room(limits, layout.unit_size()));
  cache.units_per_token = static_cast<std::int32_t>(layout.units_per_token());
  cache.place_words = largest_page(cache.max_bits, cache.head_dim);
  return cache;
}

// Calls take(part, array, count) for every array of a cache, so that all are listed once.
template <class Take>
void for_arrays(PagedCache& cache, const Take& take) {
  const std::int64_t lists = cache.n_lists, places = lists * cache.max_pages;
  const std::int64_t slots = places * kPageTokens, tokens = lists * cache.max_tokens;
  const std::int64_t outliers = lists * cache.max_outliers;
  take("codes", cache.payload, places * cache.place_words);
  take("scales", cache.grids, slots);
  take("maps", cache.states, lists);
  take("maps", cache.problems, 1);
  take("maps", cache.pages, places);
  take("maps", cache.changed, places);
  take("maps", cache.tokens, slots);
  take("maps", cache.ordinals, places);
  take("maps", cache.held, tokens);
  take("maps", cache.slots, tokens);
  if (outliers == 0) return;
  take("maps", cache.outlier_runs, tokens);
  take("outliers", cache.outlier_channels, outliers);
  auto* values = static_cast<std::byte*>(cache.outlier_values);
  take("outliers", values, outliers * bytes_of(cache.dtype));
  cache.outlier_values = values;
}

}  // namespace

MemoryPlan plan_mixed_cache(const MixedCacheLimits& limits) {
  PagedCache cache = sizes_of(limits);
  MemoryPlan plan{{{"codes", 0}, {"scales", 0}, {"maps", 0}, {"outliers", 0}}};
  for_arrays(cache, [&](const char* part, auto*& array, std::int64_t n) {
    const auto item = std::ranges::find(plan.items, part, &MemoryItem::name);
    item->bytes += Arena::rounded(n * static_cast<std::int64_t>(sizeof *array));
  });
  plan.items.push_back(
      {"workspace", Arena::rounded(assign_workspace(cache, n_assign_workers(cache))) +
                        Arena::rounded(write_workspace(cache, n_write_workers(cache)))});
  return plan;
}

MixedCache::MixedCache(const MixedCacheLimits& limits, Arena& arena, const Stream& stream)
    : cache_(sizes_of(limits)), quantizer_(limits.quantizer) {
  const std::int64_t before = arena.bytes_left();
  for_arrays(cache_, [&](const char*, auto*& array, std::int64_t n) {
    array = arena.take<std::remove_reference_t<decltype(*array)>>(n);
  });
  const std::int64_t data = before - arena.bytes_left();
  assign_space_ = arena.take<std::byte>(assign_workspace(cache_, n_assign_workers(cache_)));
  write_space_ = arena.take<std::byte>(write_workspace(cache_, n_write_workers(cache_)));
  reserved_ = before - arena.bytes_left();
  workspace_bytes_ = reserved_ - data;
  clear(stream);
}

void MixedCache::clear(const Stream& stream) {
  const auto fill = [&](auto* array, int byte, std::int64_t n) {
    check(cudaMemsetAsync(array, byte, static_cast<std::size_t>(n) * sizeof *array, stream.get()),
          "clearing the mixed-bit cache");
  };
  fill(cache_.states, 0, cache_.n_lists);
  fill(cache_.problems, 0, 1);
  fill(cache_.changed, 0, cache_.place(cache_.n_lists, 0));
  fill(cache_.held, kInNoPage, cache_.token(cache_.n_lists, 0));
}

void MixedCache::follow(const Plan& plan, const Stream& stream) const {
  check(assign_slots({cache_, plan.n_bits, plan.lengths, assign_space_, n_assign_workers(cache_),
                      plan.first_list, plan.n_lists},
                     stream.get()),
        "assigning slots");
  check(write_pages({cache_, quantizer_, plan.stats, plan.lengths, plan.fresh, plan.exact,
                     plan.keep, plan.demote_from_exact, write_space_, n_write_workers(cache_),
                     plan.first_list, plan.n_lists},
                    stream.get()),
        "writing pages");
}

void MixedCache::unpack(std::int64_t layer, const Rows& rows, const Stream& stream) const {
  check(unpack_pages({cache_, rows.out, rows.dtype, rows.stride, layer * cache_.n_kv_heads,
                      cache_.n_kv_heads},
                     stream.get()),
        "unpacking pages");
}

void MixedCache::check_problems(std::int32_t problems) {
  if ((problems & kOutliersFull) != 0) {
    throw Error(ErrorKind::work, {.place = "mixed-bit cache",
                                  .what = "more outliers than there is room for",
                                  .cure = "set a smaller outliers_ratio, or give fewer tokens"});
  }
  if (problems != 0) {
    throw Error(ErrorKind::work,
                {.place = "mixed-bit cache",
                 .what = "a plan has other widths than the cache was made for",
                 .cure = "keep n_bits_min and n_bits_max as they were when it was opened"});
  }
}

DeviceCacheBytes MixedCache::bytes(const Stream& stream) const {
  std::vector<ListState> states(static_cast<std::size_t>(cache_.n_lists));
  check(cudaMemcpyAsync(states.data(), cache_.states, states.size() * sizeof states[0],
                        cudaMemcpyDeviceToHost, stream.get()),
        "reading the mixed-bit cache's state");
  std::int32_t problems = 0;
  check(cudaMemcpyAsync(&problems, cache_.problems, sizeof problems, cudaMemcpyDeviceToHost,
                        stream.get()),
        "reading the mixed-bit cache's state");
  stream.wait();
  check_problems(problems);
  DeviceCacheBytes out;
  for (const ListState& state : states) {
    for (int bits = 0; bits < kWidths; ++bits) {
      const std::int64_t n = (state.n_tokens_of[bits] + kPageTokens - 1) / kPageTokens;
      out.codes += 4 * n * page_words(bits, cache_.head_dim);
      out.scales += n * kPageTokens * static_cast<std::int64_t>(sizeof(RowGrid));
    }
    out.outliers += state.n_outliers * (2 + bytes_of(cache_.dtype));
  }
  PagedCache sizes = cache_;
  for_arrays(sizes, [&](std::string_view part, auto*& array, std::int64_t n) {
    if (part == "maps") out.maps += n * static_cast<std::int64_t>(sizeof *array);
  });
  out.workspace = workspace_bytes_;
  out.unused = reserved_ - out.total();
  return out;
}

}  // namespace qaq::cuda
