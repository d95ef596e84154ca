// Work in a graph against the same work launched: on a GPU this is the first that graphs do.
#pragma once

#include "gpu/cuda/kernels/norm.h"
#include "gpu/device/graph.h"
#include "gpu/device/stream.h"
#include "tests/gpu/cases/logits_top.h"

namespace qaq::cases {

/// A row is normed, and what came out is summed up: on two streams, of which the second waits for
/// the first and is waited for.
class GraphWork {
 public:
  explicit GraphWork(std::int64_t n) : n_(n), weight_(Numbers(37).bells(n)) {}

  void set(const std::vector<float>& row) { in_.set(row, 0); }

  void queue() {
    const cuda::NormCall norm{in_.data(), weight_.data(), normed_.data(), 1, n_, 1e-5f};
    require(cuda::rms_norm(norm, main_.get()), "rms_norm");
    wait_for(side_, main_, forked_);
    require(cuda::logits_top({.logits = normed_.data(),
                              .argmax = argmax_.data(),
                              .argmax_logit = argmax_logit_.data(),
                              .logsumexp = logsumexp_.data(),
                              .topk_ids = topk_ids_.data(),
                              .topk_logits = topk_logits_.data(),
                              .first_bad = first_bad_.data(),
                              .n_rows = 1,
                              .vocab_size = n_,
                              .k = kTop},
                             side_.get()),
            "logits_top");
    wait_for(main_, side_, joined_);
  }

  /// Waits, and gives what came out: the normed row, then what it sums up to.
  std::vector<float> result() const {
    main_.wait();
    std::vector<float> all = normed_.host();
    for (const DeviceArray<float>* part : {&topk_logits_, &argmax_logit_, &logsumexp_}) {
      const std::vector<float> numbers = part->host();
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
    for (const std::int32_t id : topk_ids_.host()) all.push_back(static_cast<float>(id));
    return all;
  }

  const cuda::Stream& stream() const { return main_; }

 private:
  static constexpr std::int64_t kTop = 8;

  static void wait_for(const cuda::Stream& stream, const cuda::Stream& other,
                       const cuda::Event& event) {
    event.record(other);
    event.hold(stream);
  }

  std::int64_t n_;
  DeviceArray<float> weight_;
  DeviceArray<float> in_ = unwritten(n_), normed_ = unwritten(n_);
  DeviceArray<float> argmax_logit_ = unwritten(1), logsumexp_ = unwritten(1);
  DeviceArray<float> topk_logits_ = unwritten(kTop);
  DeviceArray<std::int32_t> argmax_ = unwritten<std::int32_t>(1);
  DeviceArray<std::int32_t> topk_ids_ = unwritten<std::int32_t>(kTop);
  DeviceArray<std::int64_t> first_bad_{std::vector<std::int64_t>{kNoneBad}};
  cuda::Stream main_, side_;
  cuda::Event forked_, joined_;
};

/// n_launches of one graph, each on other numbers, give the bytes of launches.
inline CaseRow graph_case(std::int64_t n, std::uint32_t n_launches) {
  GraphWork launched(n), captured(n);
  cuda::StreamCapture capture(captured.stream());
  captured.queue();
  const cuda::Graph graph = capture.finish();
  double n_wrong = 0;
  std::uint64_t digest = 0;
  for (std::uint32_t i = 0; i < n_launches; ++i) {
    const std::vector<float> row = Numbers(41 + i).bells(n);
    launched.set(row);
    captured.set(row);
    launched.queue();
    graph.launch(captured.stream());
    const std::vector<float> got = captured.result();
    n_wrong += n_different(got, launched.result());
    digest = digest_of(got, digest);
  }
  return {"graph", shape_text({{"n", n}, {"launches", n_launches}}), n_wrong, 0, digest};
}

/// A capture that is left in the middle, as by an exception: its stream works on, and captures.
inline CaseRow dropped_graph_case(std::int64_t n) {
  GraphWork work(n), other(n);
  const std::vector<float> row = Numbers(43).bells(n);
  work.set(row);
  other.set(row);
  const std::vector<float> before = work.result();
  {
    const cuda::StreamCapture dropped(work.stream());
    work.queue();
  }
  double n_wrong = n_different(work.result(), before);
  work.queue();
  other.queue();
  const std::vector<float> got = work.result();
  n_wrong += n_different(got, other.result());
  return {"graph, dropped", shape_text({{"n", n}}), n_wrong, 0, digest_of(got)};
}

inline std::vector<CaseRow> check_graph(bool small) {
  std::vector<CaseRow> rows;
  rows.push_back(graph_case(65, 3));
  rows.push_back(dropped_graph_case(65));
  if (!small) rows.push_back(graph_case(4096, 100));
  return rows;
}

}  // namespace qaq::cases
