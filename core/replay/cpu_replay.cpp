#include "core/replay/cpu_replay.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/parallel.h"
#include "core/quant/quantize.h"
#include "core/replay/capture_rows.h"
#include "core/replay/row_errors.h"

namespace qaq {
namespace {

// A layer as it was captured. Without compared rows keys and values alone.
struct ExactLayer {
  SharedArray<float, 3> key, value, query;
  SharedArray<float, 3> scores;  ///< of the compared rows; null: read in blocks
  NdArray<float, 3> output;      ///< X = S V of the compared rows, where scores are held
};

// One layer of a cache with its prefix quantized, (n_kv_heads, T, D), and what became of its rows.
struct QuantizedCopy {
  NdArray<float, 3> values;
  NdArray<double, 2> errors;
  NdArray<std::uint8_t, 3> outliers;
};

template <class T, std::size_t Rank>
void make_fit(NdArray<T, Rank>& array, const Shape<Rank>& shape) {
  if (array.shape() != shape) array = NdArray<T, Rank>(shape);
}

// Copies that tasks use in turn: fresh memory would cost as much as the work.
class CopyPool {
 public:
  class Loan {
   public:
    Loan() = default;
    Loan(CopyPool& pool, std::unique_ptr<QuantizedCopy> copy)
        : pool_(&pool), copy_(std::move(copy)) {}
    Loan(Loan&&) = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (copy_) pool_->give(std::move(copy_));
    }
    QuantizedCopy* get() const { return copy_.get(); }

   private:
    CopyPool* pool_ = nullptr;
    std::unique_ptr<QuantizedCopy> copy_;
  };

  Loan take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {*this, std::make_unique<QuantizedCopy>()};
    auto out = std::move(spare_.back());
    spare_.pop_back();
    return {*this, std::move(out)};
  }

 private:
  void give(std::unique_ptr<QuantizedCopy> copy) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(copy));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<QuantizedCopy>> spare_;
};

class CpuReplay : public ReplayKernel {
 public:
  CpuReplay(const CaptureView& capture, const ReplayScope& scope, const Work& work)
      : capture_(capture), scope_(scope) {
    if (scope.keeps_layers) keep_layers(work);
  }

  void measure(std::int64_t layer, std::span<const PlannedCaches> plans, bool outliers,
               const Take& take, const Work& work) override {
    work.throw_if_stopped();
    const ExactLayer* exact = nullptr;
    ExactLayer now;
    if (scope_.keeps_layers) {
      exact = &kept_[static_cast<std::size_t>(layer)];
    } else {
      now = read(layer);
      exact = &now;
    }
    parallel_for(std::ssize(plans), [&](std::int64_t i) {
      const PlannedCaches& plan = plans[static_cast<std::size_t>(i)];
      measure_plan(layer, *exact, plan, outliers, work,
                   [&](const PlanErrors& errors) { take(i, errors); });
    });
  }

 private:
  std::span<const std::int32_t> positions(std::int64_t first, std::int64_t count) const {
    return std::span(capture_.info().query_token)
        .subspan(static_cast<std::size_t>(scope_.first_row + first),
                 static_cast<std::size_t>(count));
  }

  ExactLayer read(std::int64_t layer) const {
    ExactLayer out;
    out.key = capture_.key(layer);
    out.value = capture_.value(layer);
    if (scope_.n_rows > 0) out.query = capture_.query(layer);
    return out;
  }

  void keep_layers(const Work& work) {
    const std::int64_t n_layers = capture_.info().n_captured_layers();
    for (std::int64_t layer = 0; layer < n_layers; ++layer) {
      work.report({"read", layer, n_layers, "layers"});
      work.throw_if_stopped();
      ExactLayer& held = kept_.emplace_back(read(layer));
      if (scope_.n_rows == 0) continue;
      held.scores = capture_.attention(layer, scope_.first_row, scope_.n_rows);
      held.output =
          row_outputs(held.value->view(), held.scores->view(), positions(0, scope_.n_rows));
    }
  }

  // The layer as this plan keeps it; nothing where that is what it was.
  CopyPool::Loan quantized(std::int64_t layer, const PlannedCache& cache,
                           const NdArray<float, 3>& from, bool outliers) {
    if (cache.plan.keeps_all()) return {};
    CopyPool::Loan loan = pool_.take();
    QuantizedCopy& copy = *loan.get();
    const std::int64_t n_heads = from.shape(0), n_tokens = from.shape(1), dim = from.shape(2);
    const std::int64_t prefix = scope_.prefix;
    make_fit(copy.values, from.shape());
    make_fit(copy.errors, {n_heads, prefix});
    if (outliers) make_fit(copy.outliers, {n_heads, prefix, (dim + 7) / 8});
    quantize_layer(cache.plan, cache.stats, layer, from.view(),
                   {copy.values.view(), outliers ? copy.outliers.view() : NdView<std::uint8_t, 3>{},
                    copy.errors.view()});
    for (std::int64_t head = 0; head < n_heads && scope_.n_rows > 0; ++head) {
      std::copy_n(from.sub(head).data() + prefix * dim, (n_tokens - prefix) * dim,
                  copy.values.sub(head).data() + prefix * dim);
    }
    return loan;
  }

  void measure_plan(std::int64_t layer, const ExactLayer& exact, const PlannedCaches& plan,
                    bool outliers, const Work& work,
                    const std::function<void(const PlanErrors&)>& take) {
    const CopyPool::Loan key = quantized(layer, plan.key, *exact.key, outliers);
    const CopyPool::Loan value = quantized(layer, plan.value, *exact.value, outliers);
    PlanErrors out;
    for (const auto& [copy, errors, marks] :
         {std::tuple(key.get(), &out.key, &out.key_outliers),
          std::tuple(value.get(), &out.value, &out.value_outliers)}) {
      if (copy == nullptr) continue;
      *errors = copy->errors.view();
      if (outliers) *marks = copy->outliers.view();
    }
    if (scope_.n_rows == 0) {
      take(out);
      return;
    }
    const auto values_of = [](const CopyPool::Loan& loan, const NdArray<float, 3>& as_captured) {
      return loan.get() ? std::as_const(loan.get()->values).view() : as_captured.view();
    };
    const RowErrors rows =
        compare(layer, exact,
                {exact.query->view(), values_of(key, *exact.key), exact.value->view(),
                 values_of(value, *exact.value), scope_.prefix,
                 capture_.info().score_rule(layer).with_top_k(plan.sparse_top_k),
                 kept_rows(plan.key.plan, layer)},
                work);
    out.attention = rows.attention.view();
    out.prefix_attention = rows.prefix_attention.view();
    out.output = rows.output.view();
    take(out);
  }

  // Of both caches: a token leaves with its key and its value.
  static NdView<const std::uint8_t, 2> kept_rows(const Plan& plan, std::int64_t layer) {
    return plan.kept ? plan.kept->sub(layer) : NdView<const std::uint8_t, 2>{};
  }

  RowErrors compare(std::int64_t layer, const ExactLayer& exact, const LayerCaches& caches,
                    const Work& work) const {
    if (exact.scores) {
      return row_errors(caches, exact.scores->view(), positions(0, scope_.n_rows),
                        exact.output.view());
    }
    const std::int64_t n_heads = capture_.info().shape.n_heads;
    const std::int64_t step = rows_at_a_time(capture_.info());
    RowErrors out({n_heads, scope_.n_rows});
    for (std::int64_t row = 0; row < scope_.n_rows; row += step) {
      work.throw_if_stopped();
      const std::int64_t count = std::min(step, scope_.n_rows - row);
      const SharedArray<float, 3> scores = capture_.attention(layer, scope_.first_row + row, count);
      const RowErrors errors = row_errors(caches, scores->view(), positions(row, count));
      for (std::int64_t head = 0; head < n_heads; ++head) {
        for (const auto member :
             {&RowErrors::attention, &RowErrors::prefix_attention, &RowErrors::output}) {
          std::copy_n((errors.*member).sub(head).data(), count,
                      (out.*member).sub(head).data() + row);
        }
      }
    }
    return out;
  }

  const CaptureView& capture_;
  ReplayScope scope_;
  std::vector<ExactLayer> kept_;
  CopyPool pool_;
};

}  // namespace

std::unique_ptr<ReplayKernel> open_cpu_replay(const CaptureView& capture, const ReplayScope& scope,
                                              const Work& work) {
  return std::make_unique<CpuReplay>(capture, scope, work);
}

}  // namespace qaq
