#include "core/evaluate/mixed_run.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/prefix_capture.h"

namespace qaq {
namespace {

std::int32_t argmax(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// Hands on the logits of the rows from `first_row` on.
class LogitsTaps : public TapSink {
 public:
  using Sink = std::function<void(std::int64_t row, std::span<const float> logits)>;
  LogitsTaps(std::int64_t first_row, Sink sink) : first_row_(first_row), sink_(std::move(sink)) {}

  bool wants(TapKind what, std::int64_t, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return what == TapKind::logits && first_row + n_rows > first_row_;
  }
  void put(const TapBlock& block) override {
    const auto n_cols = static_cast<std::size_t>(block.n_cols);
    for (std::int64_t i = 0; i < block.n_rows; ++i) {
      const std::int64_t row = block.first_row + i - first_row_;
      if (row < 0) continue;
      sink_(row, block.floats().subspan(static_cast<std::size_t>(i) * n_cols, n_cols));
    }
  }

 private:
  std::int64_t first_row_;
  Sink sink_;
};

// Queries, keys and values of a whole text, and logits of its end.
class TextTaps : public PrefixCapture {
 public:
  TextTaps(const ModelSpec& spec, std::int64_t n_tokens, DType dtype, LogitsTaps logits)
      : PrefixCapture(spec, n_tokens, dtype), logits_(std::move(logits)) {}

  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return PrefixCapture::wants(what, layer, first_row, n_rows) ||
           logits_.wants(what, layer, first_row, n_rows);
  }
  void put(const TapBlock& block) override {
    if (block.what == TapKind::logits) {
      logits_.put(block);
    } else {
      PrefixCapture::put(block);
    }
  }

 private:
  LogitsTaps logits_;
};

Work silent(const Work& work) { return Work(nullptr, work.stop_token()); }

}  // namespace

MixedScore mixed_score(std::span<const float> reference, std::span<const float> mixed) {
  MixedScore out;
  out.expected = argmax(reference);
  out.got = argmax(mixed);
  out.score = compare_logits(reference, mixed, out.expected);
  const float ours = mixed[static_cast<std::size_t>(out.expected)];
  for (std::size_t id = 0; id < mixed.size(); ++id) {
    const bool before =
        mixed[id] > ours || (mixed[id] == ours && static_cast<std::int32_t>(id) < out.expected);
    out.rank += before ? 1 : 0;
  }
  out.p_before = std::exp(-out.score.reference_nll);
  out.p_after = std::exp(-out.score.nll);
  return out;
}

MixedRun::MixedRun(const std::function<std::unique_ptr<Engine>()>& open, const PrefixedText& text,
                   DType dtype, const Work& work)
    : engine_(open()), ids_(text.ids.begin(), text.ids.end()), n_prefix_(text.n_prefix) {
  const std::int64_t n_tokens = std::ssize(ids_);
  if (n_prefix_ < 1 || n_prefix_ >= n_tokens) {
    refuse_usage({.place = "prefix",
                  .what = cat(n_prefix_, " is out of range for ", n_tokens, " tokens"),
                  .cure = "leave a token before it and one behind it"});
  }
  logits_ = NdArray<float, 2>({n_tokens - n_prefix_, spec().shape.vocab_size});
  TextTaps taps(spec(), n_tokens, dtype,
                LogitsTaps(n_prefix_, [&](std::int64_t row, std::span<const float> logits) {
                  std::ranges::copy(logits, logits_.sub(row).data());
                }));
  // In two runs, as a model that decodes has it: logits are wanted of the second alone.
  const std::span<const std::int32_t> all(ids_);
  engine_->run(all.first(static_cast<std::size_t>(n_prefix_)), &taps, silent(work));
  engine_->run(all.subspan(static_cast<std::size_t>(n_prefix_)), &taps, silent(work));
  capture_ = std::make_unique<MemoryCapture>(taps.take());
  CacheSource exact;
  for (std::int64_t layer = 0; layer < spec().shape.n_layers; ++layer) {
    exact.key.push_back(capture_->key(layer));
    exact.value.push_back(capture_->value(layer));
  }
  sources_.push_back(std::move(exact));
}

void MixedRun::set_source(std::uint8_t number, CacheSource source) {
  assert(number > kExact && number <= sources_.size());
  if (number == sources_.size()) sources_.emplace_back();
  sources_[number] = std::move(source);
}

Mix MixedRun::mix(std::uint8_t source) const {
  const ModelShape& s = spec().shape;
  return Mix({2, s.n_layers, s.n_kv_heads, n_prefix_}, source);
}

SharedArray<float, 3> MixedRun::mixed_layer(const Mix& mix, CacheSide side,
                                            std::int64_t layer) const {
  const auto source_of = [&](std::uint8_t number) -> const SharedArray<float, 3>& {
    const CacheSource& source = sources_.at(number);
    return (side == CacheSide::key ? source.key : source.value).at(static_cast<std::size_t>(layer));
  };
  const auto rows = mix.sub(side == CacheSide::key ? 0 : 1, layer);
  const auto numbers = rows.span();
  if (std::ranges::count(numbers, numbers[0]) == std::ssize(numbers)) return source_of(numbers[0]);
  const ModelShape& s = spec().shape;
  NdArray<float, 3> out({s.n_kv_heads, n_prefix_, s.head_dim});
  for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
    for (std::int64_t token = 0; token < n_prefix_; ++token) {
      const auto row = source_of(rows(head, token))->sub(head, token).span();
      std::ranges::copy(row, out.sub(head, token).data());
    }
  }
  return std::make_shared<const NdArray<float, 3>>(std::move(out));
}

void MixedRun::resume(const Mix& mix, const Work& work) {
  ++n_replays_;
  engine_->resume(n_prefix_, [&](std::int64_t layer) {
    work.throw_if_stopped();
    return Engine::LayerCache{mixed_layer(mix, CacheSide::key, layer),
                              mixed_layer(mix, CacheSide::value, layer)};
  });
}

MixedScore MixedRun::replay(const Mix& mix, std::int64_t row, const Work& work) {
  resume(mix, work);
  const std::span<const std::int32_t> all(ids_);
  engine_->run(all.subspan(static_cast<std::size_t>(n_prefix_), static_cast<std::size_t>(row) + 1),
               nullptr, silent(work));
  return mixed_score(reference(row), engine_->logits());
}

std::vector<MixedScore> MixedRun::replay_rows(const Mix& mix, const Work& work) {
  resume(mix, work);
  std::vector<MixedScore> out(static_cast<std::size_t>(n_rows()));
  LogitsTaps taps(n_prefix_, [&](std::int64_t row, std::span<const float> logits) {
    out[static_cast<std::size_t>(row)] = mixed_score(reference(row), logits);
  });
  const std::span<const std::int32_t> all(ids_);
  engine_->run(all.subspan(static_cast<std::size_t>(n_prefix_)), &taps, silent(work));
  return out;
}

}  // namespace qaq
