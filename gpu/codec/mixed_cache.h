#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/engine/memory_plan.h"
#include "core/quant/device_cache_bytes.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_layout.h"
#include "core/quant/unit_numbers.h"
#include "gpu/codec/page.h"
#include "gpu/cuda/kernels/write_pages.h"
#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"

namespace qaq::cuda {

/// What a mixed-bit cache must be able to hold. Keys and values are a cache each.
struct MixedCacheLimits {
  Side side = Side::key;
  CacheShape shape;          ///< n_tokens: the most there will be
  QuantizerSpec quantizer;   ///< method uniform; level not no-quantization
  DType dtype = DType::f16;  ///< of the unquantized values
  int n_bits_min = 0;
  int n_bits_max = 8;
  std::int64_t outliers_per_row = -1;  ///< to make room for, on average; -1: what the ratio says
};

/// What the cache takes of an arena: a pure function. Throws Error{usage} for what the kernels
/// cannot hold, by name.
MemoryPlan plan_mixed_cache(const MixedCacheLimits& limits);

/// Keys or values of a sequence as pages of one width each (gpu/codec/page.h), which follow plan
/// after plan on the device. Every place is as large as the widest page, and there are as many as
/// full pages need and one more for each other width: n_bits_max / 16 of a float16 cache and, with
/// 4 widths and 4096 tokens, 1.2 % (1024 tokens: 4.7 %). An allocator of planes would need no less:
/// it has to be able to hold all tokens at n_bits_max, too.
class MixedCache {
 public:
  /// Takes its arrays from the arena and queues their first contents. Throws as plan_mixed_cache().
  MixedCache(const MixedCacheLimits& limits, Arena& arena, const Stream& stream);

  /// Queues: nothing is held.
  void clear(const Stream& stream);

  /// A plan on the device and where rows come from (write_pages.h).
  struct Plan {
    const std::uint8_t* n_bits = nullptr;  ///< (units), core's numbering; kInNoPage: evicted
    const UnitStats* stats = nullptr;      ///< (units)
    const CacheLengths* lengths = nullptr;
    RowSource fresh = {};
    RowSource exact = {};
    void* keep = nullptr;
    bool demote_from_exact = false;
    std::int32_t first_list = 0;  ///< that follows
    std::int32_t n_lists = -1;    ///< -1: all from there on
  };
  /// Queues what a plan changes. Never fewer tokens than before. Calls share a workspace, so those
  /// of some lists each go to one stream.
  void follow(const Plan& plan, const Stream& stream) const;

  /// Queues: rows of a layer, (n_kv_heads, stride, D), as codes give them back; other rows are not
  /// touched.
  struct Rows {
    void* out = nullptr;
    DType dtype = DType::f32;
    std::int64_t stride = 0;
  };
  void unpack(std::int64_t layer, const Rows& rows, const Stream& stream) const;

  /// Throws Error{work} where a list could not follow a plan: `problems` is what
  /// pages().problems points to.
  static void check_problems(std::int32_t problems);
  /// Waits for the stream, and counts. Throws as check_problems().
  DeviceCacheBytes bytes(const Stream& stream) const;

  /// For kernels. A layer's first list is layer * n_kv_heads.
  const PagedCache& pages() const { return cache_; }

 private:
  PagedCache cache_;
  QuantizerSpec quantizer_;
  std::int64_t reserved_ = 0;  // bytes of the arena
  std::int64_t workspace_bytes_ = 0;
  std::byte* assign_space_ = nullptr;
  std::byte* write_space_ = nullptr;
};

}  // namespace qaq::cuda
