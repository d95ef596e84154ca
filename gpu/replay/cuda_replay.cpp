#include "gpu/replay/cuda_replay.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cuda_runtime_api.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/quant/normal_codebook.h"
#include "core/replay/capture_rows.h"
#include "gpu/cuda/kernels/quantize_rows.h"
#include "gpu/cuda/kernels/replay_error.h"
#include "gpu/device/buffer.h"
#include "gpu/device/error.h"
#include "gpu/device/probe.h"
#include "gpu/device/stream.h"
#include "gpu/replay/replay_sizes.h"
#include "gpu/replay/row_upload.h"

namespace qaq::cuda {
namespace {

template <class T>
std::int64_t bytes(std::int64_t n) {
  return n * static_cast<std::int64_t>(sizeof(T));
}

void refuse(const std::string& parameter, const std::string& cure) {
  refuse_usage({.place = "--device cuda, " + parameter,
                .what = "is carried out on the CPU alone",
                .cure = cure + ", or run with --device cpu"});
}

void check_plan(const PlannedCaches& plans) {
  for (const PlannedCache* cache : {&plans.key, &plans.value}) {
    if (cache->plan.codec || cache->plan.kept) {
      refuse_usage({.place = "--device cuda",
                    .what =
                        "carries out plans of units alone, and this one evicts tokens or leaves "
                        "some exact",
                    .cure = "set evict_factor=0 and plan_stride=1, or run with --device cpu"});
    }
    if (cache->plan.quantizer.outlier_rule == OutlierRule::nsigma) {
      refuse(cat(name_of(cache->side), ".outlier_rule=nsigma"), "set it to quantile");
    }
  }
  if (plans.sparse_top_k > 0) refuse("sparse_top_k", "set it to 0");
}

// Pinned memory carved into arrays, from the front again for each batch of plans.
class PinnedArena {
 public:
  explicit PinnedArena(std::int64_t n_bytes) : memory_(n_bytes) {}
  template <class T>
  T* take(std::int64_t n) {
    std::byte* out = memory_.data() + used_;
    used_ += Arena::rounded(bytes<T>(n));
    if (used_ > memory_.size()) throw std::logic_error("the pinned memory of plans is too small");
    return reinterpret_cast<T*>(out);
  }
  void clear() { used_ = 0; }

 private:
  PinnedBuffer<std::byte> memory_;
  std::int64_t used_ = 0;
};

// A layer as it was captured, and what all plans are compared with.
struct Slot {
  std::int64_t layer = -1;
  bool exact = false;  // softmax and output are queued
  float *query = nullptr, *key = nullptr, *value = nullptr, *scores = nullptr, *output = nullptr;
  RowSoftmax* softmax = nullptr;
  Event arrived;
};

// What one cache of a plan takes on the device.
struct CacheMemory {
  float* values = nullptr;
  UnitStats* stats = nullptr;
  std::uint8_t* n_bits = nullptr;
  double* errors = nullptr;
  std::uint8_t* outliers = nullptr;
};

// Statistics that are on their way to the device: plans that share them share the copy.
struct SentStats {
  const UnitStats* of = nullptr;  // on the host, of all layers
  const UnitStats* device = nullptr;
};

class CudaReplay : public ReplayKernel {
 public:
  CudaReplay(const CaptureView& capture, const ReplayScope& scope)
      : capture_(capture),
        scope_(scope),
        sizes_(capture.info(), scope),
        memory_(divide_memory(sizes_, free_device_bytes())),
        arena_(memory_.bytes),
        pinned_(memory_.n_plans * exchanged_bytes(sizes_)),
        upload_(std::max(sizes_.stride, sizes_.given_scores ? sizes_.n_tokens : 0),
                std::max(sizes_.cache(), sizes_.rows())) {
    for (std::int64_t i = 0; i < memory_.n_slots; ++i) slots_.push_back(make_slot());
    for (std::int64_t i = 0; i < memory_.n_plans; ++i) {
      for (CacheMemory& cache : plans_.emplace_back()) cache = take_cache();
    }
    // Plans follow each other in what a launch writes.
    for (double*& sums : row_sums_) sums = arena_.take<double>(memory_.n_plans * sizes_.row_sums());
    upper_ = arena_.take<float>(kCodebookNumbers);
    centre_ = arena_.take<float>(kCodebookNumbers);
    positions_ = arena_.take<std::int32_t>(sizes_.n_rows);
    send_positions();
  }

  void measure(std::int64_t layer, std::span<const PlannedCaches> plans, bool outliers,
               const Take& take, const Work& work) override {
    for (const PlannedCaches& caches : plans) check_plan(caches);
    main_.wait();  // for what a call that was interrupted left
    Slot& slot = load(layer, work);
    const auto at_once = static_cast<std::size_t>(memory_.n_plans);
    for (std::size_t first = 0; first < plans.size(); first += at_once) {
      work.throw_if_stopped();
      const auto batch = plans.subspan(first, std::min(at_once, plans.size() - first));
      const std::vector<PlanErrors> errors = queue(slot, batch, outliers);
      // The next layer travels while the GPU computes.
      if (first == 0) load_behind(layer, work);
      main_.wait();
      for (std::size_t i = 0; i < batch.size(); ++i) {
        take(static_cast<std::int64_t>(first + i), errors[i]);
      }
    }
  }

 private:
  std::unique_ptr<Slot> make_slot() {
    auto slot = std::make_unique<Slot>();
    slot->key = arena_.take<float>(sizes_.cache());
    slot->value = arena_.take<float>(sizes_.cache());
    slot->query = arena_.take<float>(sizes_.rows());
    slot->output = arena_.take<float>(sizes_.rows());
    if (sizes_.given_scores) {
      slot->scores = arena_.take<float>(sizes_.scores());
    } else {
      slot->softmax = arena_.take<RowSoftmax>(sizes_.row_sums());
    }
    return slot;
  }

  CacheMemory take_cache() {
    CacheMemory out;
    out.values = arena_.take<float>(sizes_.cache());
    out.stats = arena_.take<UnitStats>(sizes_.units());
    out.n_bits = arena_.take<std::uint8_t>(sizes_.units());
    out.errors = arena_.take<double>(sizes_.units());
    out.outliers = arena_.take<std::uint8_t>(sizes_.units() * sizes_.mark_bytes);
    return out;
  }

  // `from` is pinned, or may be forgotten at once where the GPU is waited for.
  template <class T>
  void send(const T* from, std::int64_t n, T* to) {
    if (n == 0) return;
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes<T>(n)), cudaMemcpyHostToDevice,
                          main_.get()),
          "copying a plan");
  }
  // Queues a copy to pinned memory, where the numbers lie once the stream was waited for.
  template <class T>
  const T* fetch(const T* from, std::int64_t n) {
    T* to = pinned_.take<T>(n);
    if (n == 0) return to;
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes<T>(n)), cudaMemcpyDeviceToHost,
                          main_.get()),
          "copying errors");
    return to;
  }

  void send_positions() {
    const auto rows =
        std::span(capture_.info().query_token).subspan(static_cast<std::size_t>(scope_.first_row));
    std::int32_t* pinned = pinned_.take<std::int32_t>(sizes_.n_rows);
    std::copy_n(rows.begin(), sizes_.n_rows, pinned);
    send(pinned, sizes_.n_rows, positions_);
    main_.wait();
    pinned_.clear();
  }

  Slot& slot_of(std::int64_t layer) {
    return *slots_[static_cast<std::size_t>(layer % memory_.n_slots)];
  }

  // The layer's slot, with everything of it there or on its way.
  Slot& load(std::int64_t layer, const Work& work) {
    Slot& slot = slot_of(layer);
    if (slot.layer == layer) return slot;
    work.throw_if_stopped();
    slot.layer = -1;  // until it is whole
    slot.exact = false;
    const std::int64_t n_rows = sizes_.n_kv_heads * sizes_.n_tokens;
    for (const auto& [from, to] :
         {std::pair(capture_.key(layer), slot.key), std::pair(capture_.value(layer), slot.value)}) {
      upload_.put(
          n_rows, sizes_.head_dim, sizes_.stride,
          [&, numbers = from->data()](std::int64_t i) { return numbers + i * sizes_.head_dim; }, to,
          copies_);
    }
    if (sizes_.n_rows > 0) load_rows(layer, slot, work);
    slot.arrived.record(copies_);
    slot.layer = layer;
    return slot;
  }

  void load_rows(std::int64_t layer, const Slot& slot, const Work& work) {
    const SharedArray<float, 3> query = capture_.query(layer);
    const auto row = [&](std::int64_t i) {
      const auto position =
          capture_.info()
              .query_token[static_cast<std::size_t>(scope_.first_row + i % sizes_.n_rows)];
      return query->sub(i / sizes_.n_rows, position).data();
    };
    upload_.put(sizes_.row_sums(), sizes_.head_dim, sizes_.stride, row, slot.query, copies_);
    if (!sizes_.given_scores) return;
    const std::int64_t step = rows_at_a_time(capture_.info());
    for (std::int64_t first = 0; first < sizes_.n_rows; first += step) {
      work.throw_if_stopped();
      const std::int64_t count = std::min(step, sizes_.n_rows - first);
      const SharedArray<float, 3> scores =
          capture_.attention(layer, scope_.first_row + first, count);
      for (std::int64_t head = 0; head < sizes_.n_heads; ++head) {
        upload_.put(
            count, sizes_.n_tokens, sizes_.n_tokens,
            [&](std::int64_t i) { return scores->sub(head, i).data(); },
            slot.scores + (head * sizes_.n_rows + first) * sizes_.n_tokens, copies_);
      }
    }
  }

  // The layer that is asked for next; behind the last the first, where plans go on.
  void load_behind(std::int64_t layer, const Work& work) {
    const std::int64_t next = (layer + 1) % sizes_.n_layers;
    if (next == 0 && !sizes_.keeps_layers) return;
    if (&slot_of(next) == &slot_of(layer)) return;  // of an odd number of layers the last and first
    load(next, work);
  }

  ReplayCall rows_of(const Slot& slot) const {
    ReplayCall call;
    call.query = slot.query;
    call.positions = positions_;
    call.scores = slot.scores;
    call.exact = {slot.key, slot.value};
    call.softmax = slot.softmax;
    call.output = slot.output;
    call.attention = row_sums_[0];
    call.prefix_attention = row_sums_[1];
    call.output_error = row_sums_[2];
    call.n_heads = sizes_.n_heads;
    call.n_kv_heads = sizes_.n_kv_heads;
    call.n_rows = sizes_.n_rows;
    call.n_tokens = sizes_.n_tokens;
    call.head_dim = sizes_.head_dim;
    call.stride = sizes_.stride;
    call.prefix = sizes_.prefix;
    call.window = capture_.info().attention_window(slot.layer);
    return call;
  }

  // Queues all that the plans' errors follow from, and says where they will lie.
  std::vector<PlanErrors> queue(Slot& slot, std::span<const PlannedCaches> plans, bool outliers) {
    pinned_.clear();
    sent_stats_.clear();
    slot.arrived.hold(main_);
    ReplayCall call = rows_of(slot);
    if (!slot.exact) check(replay_exact(call, main_.get()), "the exact rows");
    slot.exact = true;
    std::vector<PlanErrors> out(plans.size());
    call.n_plans = std::ssize(plans);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      const auto& [key, value] = plans_[i];
      call.plans[i] = {quantize(slot.layer, plans[i].key, slot.key, key),
                       quantize(slot.layer, plans[i].value, slot.value, value)};
    }
    check(replay_error(call, main_.get()), "errors of rows");
    for (std::size_t i = 0; i < plans.size(); ++i) {
      PlanErrors& errors = out[i];
      const auto& [key, value] = plans_[i];
      fetch_cache(plans[i].key, key, outliers, errors.key, errors.key_outliers);
      fetch_cache(plans[i].value, value, outliers, errors.value, errors.value_outliers);
    }
    if (sizes_.n_rows > 0) fetch_rows(out);
    return out;
  }

  // Queues the cache as a plan keeps it, and says where it is.
  const float* quantize(std::int64_t layer, const PlannedCache& cache, const float* exact,
                        const CacheMemory& to) {
    const Plan& plan = cache.plan;
    if (plan.keeps_all()) return exact;
    if (plan.quantizer.method == Method::normal) send_codebooks();
    const std::int64_t per_token =
        plan.layout.level() == Level::head ? sizes_.n_kv_heads : std::int64_t{1};
    const auto sent =
        std::ranges::find(sent_stats_, cache.stats.data(), [](const SentStats& s) { return s.of; });
    const UnitStats* stats = nullptr;
    if (sent != sent_stats_.end()) {
      stats = sent->device;
    } else {
      send_units(layer, plan.layout, per_token, cache.stats.data(), to.stats);
      sent_stats_.push_back({cache.stats.data(), to.stats});
      stats = to.stats;
    }
    send_units(layer, plan.layout, per_token, plan.n_bits.data(), to.n_bits);
    check(quantize_rows({.in = exact,
                         .out = to.values,
                         .quantizer = plan.quantizer,
                         .stats = stats,
                         .n_bits = to.n_bits,
                         .upper = upper_,
                         .centre = centre_,
                         .errors = to.errors,
                         .outliers = to.outliers,
                         .n_kv_heads = sizes_.n_kv_heads,
                         .n_tokens = sizes_.n_tokens,
                         .prefix = sizes_.prefix,
                         .head_dim = sizes_.head_dim,
                         .stride = sizes_.stride,
                         .units_per_token = per_token},
                        main_.get()),
          "quantizing");
    return to.values;
  }

  // Of every unit of the layer, which follow each other within a token.
  template <class T>
  void send_units(std::int64_t layer, const UnitLayout& layout, std::int64_t per_token,
                  const T* of_units, T* to) {
    T* pinned = pinned_.take<T>(sizes_.prefix * per_token);
    for (std::int64_t token = 0; token < sizes_.prefix; ++token) {
      std::copy_n(of_units + layout.unit(layer, 0, token), per_token, pinned + token * per_token);
    }
    send(pinned, sizes_.prefix * per_token, to);
  }

  // Once: those of all numbers of bits take a megabyte.
  void send_codebooks() {
    if (codebooks_sent_) return;
    PinnedBuffer<float> upper(kCodebookNumbers), centre(kCodebookNumbers);
    for (int b = 0; b <= kMaxBits; ++b) {
      const NormalCodebook& book = normal_codebook(b);
      std::ranges::copy(book.upper, upper.data() + (1 << b) - 1);
      std::ranges::copy(book.centre, centre.data() + (1 << b) - 1);
    }
    send(upper.data(), kCodebookNumbers, upper_);
    send(centre.data(), kCodebookNumbers, centre_);
    main_.wait();
    codebooks_sent_ = true;
  }

  void fetch_cache(const PlannedCache& cache, const CacheMemory& memory, bool outliers,
                   NdView<const double, 2>& errors, NdView<const std::uint8_t, 3>& marks) {
    if (cache.plan.keeps_all()) return;
    const std::int64_t n_heads = sizes_.n_kv_heads, prefix = sizes_.prefix;
    errors = {fetch(memory.errors, n_heads * prefix), {n_heads, prefix}};
    if (!outliers) return;
    marks = {fetch(memory.outliers, n_heads * prefix * sizes_.mark_bytes),
             {n_heads, prefix, sizes_.mark_bytes}};
  }

  void fetch_rows(std::vector<PlanErrors>& out) {
    const std::int64_t n = sizes_.row_sums();
    const double* sums[3];
    for (std::size_t kind = 0; kind < 3; ++kind) {
      sums[kind] = fetch(row_sums_[kind], std::ssize(out) * n);
    }
    for (std::int64_t i = 0; i < std::ssize(out); ++i) {
      const auto rows_of_plan = [&](const double* first) {
        return NdView<const double, 2>(first + i * n, {sizes_.n_heads, sizes_.n_rows});
      };
      PlanErrors& errors = out[static_cast<std::size_t>(i)];
      errors.attention = rows_of_plan(sums[0]);
      errors.prefix_attention = rows_of_plan(sums[1]);
      errors.output = rows_of_plan(sums[2]);
    }
  }

  const CaptureView& capture_;
  ReplayScope scope_;
  ReplaySizes sizes_;
  ReplayMemory memory_;
  Arena arena_;
  PinnedArena pinned_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::array<CacheMemory, 2>> plans_;  // key, value
  std::array<double*, 3> row_sums_{};
  float* upper_ = nullptr;
  float* centre_ = nullptr;
  std::int32_t* positions_ = nullptr;
  bool codebooks_sent_ = false;
  std::vector<SentStats> sent_stats_;
  RowUpload upload_;
  Stream main_, copies_;  // last: they use all of the above
};

}  // namespace

std::unique_ptr<ReplayKernel> open_replay(const CaptureView& capture, const ReplayScope& scope,
                                          const Work&) {
  if (scope.n_rows > 0 && !capture.info().alibi_slopes.empty()) {
    refuse_usage({.file = capture.info().name,
                  .place = "--device cuda",
                  .what = "scores with ALiBi cannot be replayed on a GPU",
                  .cure = "replay on the CPU: --device cpu"});
  }
  return std::make_unique<CudaReplay>(capture, scope);
}

}  // namespace qaq::cuda
