#include "core/quant/tail_codec.h"

#include <algorithm>
#include <utility>

#include "core/quant/packed_bytes.h"
#include "core/quant/quantize.h"

namespace qaq {
namespace {

class UnitsAndTail : public CacheCodec {
 public:
  UnitsAndTail(Plan first, std::span<const UnitStats> stats, std::int64_t n_tokens)
      : first_(std::move(first)), stats_(stats), n_tokens_(n_tokens) {}

  void quantize(std::int64_t layer, const CacheLayer& input, const NdView<float, 3>& out,
                const NdView<std::uint8_t, 3>& outliers) const override {
    quantize_layer(first_, stats_, layer, input, {out, outliers});
    for (std::int64_t head = 0; head < input.shape(0) && n_first() < n_tokens_; ++head) {
      std::copy_n(input.sub(head, n_first()).data(), (n_tokens_ - n_first()) * input.shape(2),
                  out.sub(head, n_first()).data());
    }
  }

  std::optional<int> n_bits(std::int64_t layer, std::int64_t kv_head,
                            std::int64_t token) const override {
    if (token >= n_first()) return {};
    return first_.n_bits[static_cast<std::size_t>(first_.layout.unit(layer, kv_head, token))];
  }

  std::int64_t n_outliers() const override {
    std::int64_t n = 0;
    for (const UnitStats& unit : stats_) n += first_.layout.unit_size() - unit.n_inliers;
    return n;
  }

  PackedBytes bytes(DType exact) const override {
    const CacheShape& shape = first_.layout.shape();
    PackedBytes out = packed_bytes(first_, stats_, packed_format(first_.quantizer, exact));
    out.payload += shape.n_layers * shape.n_kv_heads * (n_tokens_ - n_first()) * shape.head_dim *
                   bytes_of(exact);
    return out;
  }

 private:
  std::int64_t n_first() const { return first_.layout.shape().n_tokens; }

  Plan first_;
  std::span<const UnitStats> stats_;
  std::int64_t n_tokens_;
};

}  // namespace

std::shared_ptr<const CacheCodec> units_and_tail_codec(Plan first, std::span<const UnitStats> stats,
                                                       std::int64_t n_tokens) {
  return std::make_shared<UnitsAndTail>(std::move(first), stats, n_tokens);
}

}  // namespace qaq
