#include "core/quant/codebook_cache_codec.h"

#include <algorithm>
#include <utility>

#include "core/base/parallel.h"
#include "core/quant/turn_rows.h"

namespace qaq {
namespace {

constexpr std::int64_t kRowsTogether = 64;

// The first n_tokens tokens of every KV head, in parallel.
void turn_heads(const NdView<float, 3>& heads, std::int64_t n_tokens, std::span<const double> rope,
                Turn turn) {
  if (rope.empty()) return;
  const std::int64_t n_blocks = (n_tokens + kRowsTogether - 1) / kRowsTogether;
  parallel_for(heads.shape(0) * n_blocks, [&](std::int64_t i) {
    const std::int64_t first = i % n_blocks * kRowsTogether;
    const std::int64_t n = std::min(kRowsTogether, n_tokens - first);
    turn_rows({heads.sub(i / n_blocks, first).data(), {n, heads.shape(2)}}, first, rope, turn);
  });
}

void copy_heads(const CacheLayer& from, std::int64_t n_tokens, const NdView<float, 3>& to) {
  for (std::int64_t head = 0; head < from.shape(0); ++head) {
    std::copy_n(from.sub(head).data(), n_tokens * from.shape(2), to.sub(head).data());
  }
}

class CodebookCacheCodec : public CacheCodec {
 public:
  CodebookCacheCodec(const CodebookSpec& spec, const CacheShape& shape,
                     std::shared_ptr<const CacheCodebooks> books,
                     std::span<const CacheLayer> layers)
      : spec_(spec), shape_(shape), books_(std::move(books)) {
    NdArray<float, 3> read({shape.n_kv_heads, shape.n_tokens, shape.head_dim});
    for (std::size_t i = 0; i < layers.size(); ++i) {
      n_outliers_ += code(static_cast<std::int64_t>(i), layers[i], {read.view()});
    }
  }

  void quantize(std::int64_t layer, const CacheLayer& input, const NdView<float, 3>& out,
                const NdView<std::uint8_t, 3>& outliers) const override {
    code(layer, input, {out, outliers});
    turn_heads(out, shape_.n_tokens, books_->rope, Turn::forward);
    copy_heads(input, n_exact(), out);  // they were not turned
    for (std::int64_t head = 0; head < shape_.n_kv_heads && !outliers.empty(); ++head) {
      std::fill_n(outliers.sub(head).data(), n_exact() * outliers.shape(2), std::uint8_t{0});
    }
  }
  std::int64_t n_outliers() const override { return n_outliers_; }
  std::optional<int> n_bits(std::int64_t, std::int64_t, std::int64_t token) const override {
    return token < n_exact() ? std::nullopt : std::optional(spec_.n_bits);
  }
  PackedBytes bytes(DType exact) const override {
    return codebook_bytes(spec_, shape_, n_outliers_, exact);
  }

 private:
  std::int64_t n_exact() const { return std::min(spec_.first_few_fp16, shape_.n_tokens); }

  // As it is stored: keys turned back. Returns how many values are outliers.
  std::int64_t code(std::int64_t layer, const CacheLayer& input, const CodebookLayer& out) const {
    copy_heads(input, shape_.n_tokens, out.values);
    turn_heads(out.values, shape_.n_tokens, books_->rope, Turn::back);
    return quantize_by_codebook(spec_, books_->layers[static_cast<std::size_t>(layer)], out.values,
                                {0, shape_.n_tokens}, out);
  }

  CodebookSpec spec_;
  CacheShape shape_;
  std::shared_ptr<const CacheCodebooks> books_;
  std::int64_t n_outliers_ = 0;
};

}  // namespace

CacheCodebooks calibrate_codebooks(const CodebookSpec& spec, std::span<const CacheLayer> layers,
                                   std::int64_t n_tokens, std::span<const double> rope) {
  CacheCodebooks out{{}, {rope.begin(), rope.end()}};
  for (const CacheLayer& layer : layers) {
    if (rope.empty()) {
      out.layers.push_back(calibrate_codebook(spec, layer, n_tokens));
      continue;
    }
    NdArray<float, 3> turned({layer.shape(0), n_tokens, layer.shape(2)});
    copy_heads(layer, n_tokens, turned.view());
    turn_heads(turned.view(), n_tokens, rope, Turn::back);
    out.layers.push_back(calibrate_codebook(spec, std::as_const(turned).view(), n_tokens));
  }
  return out;
}

std::shared_ptr<const CacheCodec> codebook_cache_codec(const CodebookSpec& spec,
                                                       const CacheShape& shape,
                                                       std::shared_ptr<const CacheCodebooks> books,
                                                       std::span<const CacheLayer> layers) {
  return std::make_shared<CodebookCacheCodec>(spec, shape, std::move(books), layers);
}

}  // namespace qaq
