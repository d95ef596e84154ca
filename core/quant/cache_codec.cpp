#include "core/quant/cache_codec.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/quant/block_codec.h"
#include "core/quant/hadamard.h"

namespace qaq {
namespace {

// Tokens first .. end - 1 of each head.
void copy_tokens(const CacheLayer& from, std::int64_t first, std::int64_t end,
                 const NdView<float, 3>& to) {
  for (std::int64_t head = 0; head < from.shape(0) && first < end; ++head) {
    std::copy_n(from.sub(head, first).data(), (end - first) * from.shape(2),
                to.sub(head, first).data());
  }
}

class GroupCacheCodec : public CacheCodec {
 public:
  GroupCacheCodec(const GroupSpec& spec, const CacheShape& shape, std::int64_t n_quantized)
      : spec_(spec), shape_(shape), n_quantized_(n_quantized) {}

  void quantize(std::int64_t, const CacheLayer& input, const NdView<float, 3>& out,
                const NdView<std::uint8_t, 3>&) const override {
    quantize_groups(spec_, input, {0, n_quantized_}, {out});
    copy_tokens(input, n_quantized_, shape_.n_tokens, out);
  }
  std::optional<int> n_bits(std::int64_t, std::int64_t, std::int64_t token) const override {
    return token < n_quantized_ ? std::optional(spec_.n_bits) : std::nullopt;
  }
  RowsDependOn rows_depend_on() const override {
    if (spec_.axis == GroupAxis::token) return RowsDependOn::themselves;
    const bool whole =
        n_quantized_ == 0 || (spec_.group_size > 0 && n_quantized_ % spec_.group_size == 0);
    return whole ? RowsDependOn::whole_groups : RowsDependOn::later_rows;
  }
  PackedBytes bytes(DType exact) const override {
    return group_bytes(spec_, shape_, n_quantized_, exact);
  }

 private:
  GroupSpec spec_;
  CacheShape shape_;
  std::int64_t n_quantized_;
};

class BlockCacheCodec : public CacheCodec {
 public:
  BlockCacheCodec(WeightType type, const CacheShape& shape, bool rotate)
      : type_(type), shape_(shape), rotate_(rotate) {
    require_blocks(type, shape.head_dim);
    if (rotate) require_hadamard(shape.head_dim);
  }

  void quantize(std::int64_t, const CacheLayer& input, const NdView<float, 3>& out,
                const NdView<std::uint8_t, 3>&) const override {
    const TokenSpan all{0, shape_.n_tokens};
    if (!rotate_) return quantize_blocks(type_, input, all, out);
    copy_tokens(input, 0, shape_.n_tokens, out);
    turn(out);
    quantize_blocks(type_, out, all, out);
    turn(out);
  }
  std::optional<int> n_bits(std::int64_t, std::int64_t, std::int64_t) const override {
    return type_ == WeightType::q8_0 ? 8 : 4;
  }
  RowsDependOn rows_depend_on() const override { return RowsDependOn::themselves; }
  PackedBytes bytes(DType) const override { return block_bytes(type_, shape_); }

 private:
  void turn(const NdView<float, 3>& rows) const {
    constexpr std::int64_t kTogether = 64;
    const std::int64_t n = shape_.n_tokens, n_blocks = (n + kTogether - 1) / kTogether;
    parallel_for(rows.shape(0) * n_blocks, [&](std::int64_t i) {
      const std::int64_t head = i / n_blocks, first = i % n_blocks * kTogether;
      rotate_hadamard(NdView<float, 2>(rows.sub(head, first).data(),
                                       {std::min(kTogether, n - first), rows.shape(2)}));
    });
  }

  WeightType type_;
  CacheShape shape_;
  bool rotate_;
};

}  // namespace

std::shared_ptr<const CacheCodec> group_cache_codec(const GroupSpec& spec, const CacheShape& shape,
                                                    std::int64_t n_quantized) {
  return std::make_shared<GroupCacheCodec>(spec, shape, n_quantized);
}

std::shared_ptr<const CacheCodec> block_cache_codec(WeightType type, const CacheShape& shape,
                                                    bool rotate) {
  return std::make_shared<BlockCacheCodec>(type, shape, rotate);
}

}  // namespace qaq
