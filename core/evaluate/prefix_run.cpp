#include "core/evaluate/prefix_run.h"

#include <algorithm>
#include <utility>

#include "core/evaluate/prefix_capture.h"
#include "core/evaluate/tail_taps.h"
#include "core/evaluate/time_in.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

// Of a reference that is held at a time: long tails go in pieces.
constexpr std::int64_t kMaxHeldBytes = std::int64_t{128} << 20;
constexpr std::int64_t kMinRows = 16;

Work silent(const Work& work) { return Work(nullptr, work.stop_token()); }

}  // namespace

RunSeconds& RunSeconds::operator+=(const RunSeconds& other) {
  prefix += other.prefix;
  tail += other.tail;
  quantizing += other.quantizing;
  comparing += other.comparing;
  return *this;
}

PrefixRun::PrefixRun(const OpenEngine& open, Settings settings, DType dtype)
    : open_(open), dtype_(dtype), full_(open_()) {
  set_settings(std::move(settings));
}

PrefixRun::PrefixRun(const OpenEngine& open, const std::vector<QaqParams>& settings, DType dtype)
    : PrefixRun(open, qaq_policies(settings), dtype) {}

void PrefixRun::set_settings(const std::vector<QaqParams>& settings) {
  set_settings(qaq_policies(settings));
}

void PrefixRun::set_settings(Settings settings) {
  while (quantized_.size() < settings.size()) quantized_.push_back(open_());
  settings_ = std::move(settings);
  caches_.assign(settings_.size(), nullptr);
  take_seconds();
}

void PrefixRun::set_prefix(std::span<const std::int32_t> ids, const Work& work) {
  prefix_.assign(ids.begin(), ids.end());
  {
    const TimeIn time(spent_.full.prefix);
    PrefixCapture taps(spec(), std::ssize(prefix_), dtype_);
    full_->keep(0);
    full_->run(prefix_, &taps, silent(work));
    prefix_logits_.assign(full_->logits().begin(), full_->logits().end());
    replayer_.reset();
    capture_ = std::make_unique<MemoryCapture>(taps.take());
    replayer_ = std::make_unique<Replayer>(*capture_);
  }
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    quantize(i, std::ssize(prefix_), work);
    const TimeIn time(spent_.settings[i].comparing);
    caches_[i] = replayer_->bits({{}, 0, settings_[i]}, silent(work));
  }
}

void PrefixRun::quantize(std::size_t setting, std::int64_t n_tokens, const Work& work) {
  const TimeIn time(spent_.settings[setting].quantizing);
  const PlannedCaches plans = replayer_->plans({{}, n_tokens, settings_[setting]}, silent(work));
  quantized_[setting]->set_sparse_top_k(plans.sparse_top_k);
  quantized_[setting]->resume(n_tokens, [&](std::int64_t layer) {
    work.throw_if_stopped();
    return Engine::LayerCache{quantized_layer(*capture_, plans.key, layer),
                              quantized_layer(*capture_, plans.value, layer)};
  });
  quantized_[setting]->set_kept(plans.key.plan.kept);
}

std::vector<float> PrefixRun::requantized_prefix_logits(std::size_t setting, const Work& work) {
  const std::int64_t n = std::ssize(prefix_);
  if (n == 1) return prefix_logits_;
  quantize(setting, n - 1, work);
  Engine& engine = *quantized_[setting];
  std::vector<float> logits;
  {
    const TimeIn time(spent_.settings[setting].tail);
    engine.run({&prefix_.back(), 1}, nullptr, silent(work));
    logits.assign(engine.logits().begin(), engine.logits().end());
  }
  quantize(setting, n, work);
  return logits;
}

std::vector<TailScores> PrefixRun::run_tail(const Tail& tail, const Work& work) {
  const std::int64_t n_prefix = std::ssize(prefix_), n_rows = std::ssize(tail.ids);
  full_->keep(n_prefix);
  for (std::size_t i = 0; i < settings_.size(); ++i) quantized_[i]->keep(n_prefix);

  std::vector<TailScores> scores(settings_.size());
  ReferenceRows::Rows rows{n_prefix, n_prefix, n_rows, tail.with_attention};
  const std::int64_t piece =
      std::max(kMinRows, kMaxHeldBytes / ReferenceRows::bytes_per_row(spec().shape, rows));
  for (std::int64_t first = 0; first < n_rows; first += piece) {
    rows.first_row = n_prefix + first;
    rows.n_rows = std::min(piece, n_rows - first);
    const auto at = static_cast<std::size_t>(first), n = static_cast<std::size_t>(rows.n_rows);
    ReferenceRows reference(spec().shape, rows);
    {
      const TimeIn time(spent_.full.tail);
      full_->run(tail.ids.subspan(at, n), &reference, silent(work));
    }
    spent_.full.tail -= reference.seconds();
    spent_.full.comparing += reference.seconds();
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      ComparingTaps taps(reference, tail.next.subspan(at, n), scores[i]);
      {
        const TimeIn time(spent_.settings[i].tail);
        quantized_[i]->run(tail.ids.subspan(at, n), &taps, silent(work));
      }
      spent_.settings[i].tail -= taps.seconds();
      spent_.settings[i].comparing += taps.seconds();
    }
  }
  return scores;
}

void PrefixRun::step(std::span<const std::int32_t> ids, const Work& work) {
  {
    const TimeIn time(spent_.full.tail);
    full_->run(ids, nullptr, silent(work));
  }
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    const TimeIn time(spent_.settings[i].tail);
    quantized_[i]->run(ids, nullptr, silent(work));
  }
}

PrefixRun::Spent PrefixRun::take_seconds() {
  Spent fresh;
  fresh.settings.resize(settings_.size());
  return std::exchange(spent_, std::move(fresh));
}

}  // namespace qaq
