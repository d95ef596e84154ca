#include "core/policy/kvquant_policy.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

CodebookSpec KvquantPolicy::spec(CacheSide side) const {
  return {.n_bits = params_.abits,
          .axis = side == CacheSide::key ? GroupAxis::channel : GroupAxis::token,
          .sparsity_threshold = params_.sparsity_threshold,
          .nuq = params_.nuq,
          .first_few_fp16 = params_.first_few_fp16,
          .norm = params_.norm};
}

PolicyNeeds KvquantPolicy::needs(CacheSide) const {
  PolicyNeeds out;
  out.quantizer.level = Level::no_quantization;  // it knows no units
  out.values = true;
  return out;
}

Plan KvquantPolicy::plan(const PolicyView& view) const {
  const bool key = view.side == CacheSide::key;
  const CacheShape& shape = view.layout.shape();
  auto books = key ? key_ : value_;
  if (books && std::ssize(books->layers) != shape.n_layers) {
    refuse_usage({.place = "--calibration",
                  .what = cat("is of ", books->layers.size(), " layers, and the capture of ",
                              shape.n_layers),
                  .cure = "calibrate on a capture of the same layers"});
  }
  if (!books) {
    books = std::make_shared<const CacheCodebooks>(calibrate_codebooks(
        spec(view.side), view.layers, shape.n_tokens, key ? view.rope : std::span<const double>()));
  }
  Plan plan;
  plan.layout = view.layout;
  plan.quantizer.level = Level::no_quantization;
  plan.codec = codebook_cache_codec(spec(view.side), shape, std::move(books), view.layers);
  return plan;
}

std::shared_ptr<const CachePolicy> KvquantPolicy::calibrated(const CalibrationView& view) const {
  auto out = std::make_shared<KvquantPolicy>(*this);
  out->key_ = std::make_shared<const CacheCodebooks>(
      calibrate_codebooks(spec(CacheSide::key), view.key, view.n_tokens, view.rope));
  out->value_ = std::make_shared<const CacheCodebooks>(
      calibrate_codebooks(spec(CacheSide::value), view.value, view.n_tokens, {}));
  return out;
}

}  // namespace qaq
