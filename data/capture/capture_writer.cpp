#include "data/capture/capture_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/worker.h"
#include "data/capture/capture_metadata.h"
#include "data/capture/capture_stats.h"
#include "data/capture/capture_tables.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/capture/logits_table.h"
#include "data/capture/open_capture_file.h"
#include "data/capture/stored_numbers.h"
#include "data/capture/tap_queue.h"

namespace qaq {
namespace {

RowBlock rows_of(std::int64_t layer_index, const TapBlock& block) {
  return {.layer_index = layer_index,
          .first_head = block.first_head,
          .n_heads = block.n_heads,
          .first_row = block.first_row,
          .n_rows = block.n_rows,
          .n_cols = block.n_cols,
          .values = block.floats()};
}

/// What a summary stands for.
TapKind whole(TapKind kind) {
  if (kind == TapKind::attention_stats) return TapKind::attention;
  return kind == TapKind::logits_top ? TapKind::logits : kind;
}

class CaptureFileWriter : public CaptureWriter {
 public:
  CaptureFileWriter(const std::string& path, CapturePlan plan)
      : path_(path),
        plan_(std::move(plan)),
        stats_(plan_.info.shape, plan_.info.n_captured_layers(), plan_.max_tokens,
               has_scores(plan_)),
        logits_(plan_.max_tokens, plan_.top_k, plan_.info.shape.vocab_size),
        summarizing_([this](const TapBlock& block) { summarize(index_of(block.layer), block); }),
        storing_([this](const TapBlock& block) { store(index_of(block.layer), block); },
                 [this](std::function<void()> work) { disk_.post(std::move(work)); }) {
    if (plan_.info.created_utc.empty()) plan_.info.created_utc = utc_now();
    h5::thread().run([&] {
      open_ = std::make_unique<OpenCaptureFile>(path_, plan_,
                                                [this] { return storing_.lags_behind(); });
    });
  }

  ~CaptureFileWriter() override {
    summarizing_.stop();
    storing_.stop();
    if (open_) h5::thread().run([&] { open_.reset(); });
  }

  bool wants(TapKind what, std::int64_t layer, std::int64_t, std::int64_t) const override {
    if (whole(what) == TapKind::logits) return true;
    return index_of(layer) >= 0 && (whole(what) != TapKind::attention || has_scores(plan_));
  }

  /// Statistics are made while the disk takes the bytes; what is refused then may have been
  /// written, to a file that never gets its name.
  void put(const TapBlock& block) override {
    if (!wants(block.what, block.layer, block.first_row, block.n_rows)) return;
    check_place(block);  // before either: neither has room for more
    rows_seen_[static_cast<std::size_t>(whole(block.what))] += block.n_heads * block.n_rows;
    storing_.push(block);
    summarizing_.push(block);
  }

  std::int64_t top_logits() const override { return plan_.top_k; }
  std::int64_t first_whole_row() const override { return qaq::first_whole_row(plan_); }

  void finish(const CaptureTokens& tokens, const std::string& provenance_json) override {
    summarizing_.drain();
    const auto n_tokens = std::ssize(tokens.ids);
    check_complete(n_tokens);
    const auto statistics = packed_stats(stats_, plan_, n_tokens);  // while the last bytes go
    storing_.drain();
    if (open_->attention) open_->attention->finish(n_tokens);
    h5::thread().run([&] {
      const h5::File& file = open_->file;
      write_tokens(file, tokens);
      write_axes(file, plan_.info, n_tokens, write_query_token(n_tokens));
      write_logits(file, logits_, n_tokens);
      write_stats(file, statistics);
      if (has_scores(plan_)) write_importance(file);
      describe_datasets(file, plan_.info);
      h5::Attributes(file, capture_path::kEntry).set("provenance_json", provenance_json);
      open_->publish();
      open_.reset();
    });
  }

 private:
  void store(std::int64_t layer, const TapBlock& block) {
    switch (block.what) {
      case TapKind::query:
        if (open_->query) open_->query->write(rows_of(layer, block));
        break;
      case TapKind::key:
        open_->key->write(rows_of(layer, block));
        break;
      case TapKind::value:
        open_->value->write(rows_of(layer, block));
        break;
      case TapKind::attention:
        open_->attention->put(layer, block);
        break;
      case TapKind::attention_stats:
      case TapKind::logits:
      case TapKind::logits_top:
        break;  // only their summary is kept, in a table
    }
  }

  void summarize(std::int64_t layer, const TapBlock& block) {
    switch (block.what) {
      case TapKind::query:
        check_numbers(block);
        stats_.add_query(layer, block);
        break;
      case TapKind::key:
        check_numbers(block);
        stats_.add_key(layer, block);
        break;
      case TapKind::value:
        check_numbers(block);
        stats_.add_value(layer, block);
        break;
      case TapKind::attention:
        if (!stats_.add_attention(layer, block)) check_numbers(block);
        break;
      case TapKind::attention_stats:
        if (!stats_.add_attention_stats(layer, block)) check_entropies(block);
        break;
      case TapKind::logits:
        check_numbers(block);
        logits_.add(block);
        break;
      case TapKind::logits_top:
        check_sums(block);
        logits_.add(block);
        break;
    }
  }

  /// Index of a model layer among the captured ones; -1: not captured.
  std::int64_t index_of(std::int64_t layer) const {
    const auto& layers = plan_.info.layers;
    const auto found = std::ranges::lower_bound(layers, layer);
    return found != layers.end() && *found == layer ? found - layers.begin() : -1;
  }

  /// Positions of the attention rows, stored or to be derived; writes those of stored rows.
  std::vector<std::int32_t> write_query_token(std::int64_t n_tokens) const {
    std::vector<std::int32_t> positions;
    if (open_->attention) {
      positions = open_->attention->query_tokens(n_tokens);
      h5::write_array<std::int32_t>(open_->file, capture_path::kQueryToken, {positions.size()},
                                    positions);
    } else if (plan_.info.profile == AttentionProfile::derive) {
      positions.resize(static_cast<std::size_t>(n_tokens));
      std::iota(positions.begin(), positions.end(), 0);
    }
    return positions;
  }

  /// Refuses rows that the file has no room for.
  void check_place(const TapBlock& block) const {
    if (block.first_row + block.n_rows > plan_.max_tokens) {
      fail(cat("there is room for ", plan_.max_tokens, " tokens and more were run"),
           "capture with more room");
    }
  }

  /// Refuses numbers that would make a file that cannot be opened again.
  void check_numbers(const TapBlock& block) const {
    const bool activation =
        block.what == TapKind::query || block.what == TapKind::key || block.what == TapKind::value;
    const DType dtype = activation ? plan_.info.dtype : DType::f32;
    const std::span<const float> values = block.floats();
    const std::size_t bad = first_beyond(values, largest_storable(dtype));
    if (bad == values.size()) return;
    const auto row = static_cast<std::int64_t>(bad) / block.n_cols;
    fail(cat("the model gave ", values[bad], " in layer ", block.layer, ", head ",
             block.first_head + row / block.n_rows, ", token ",
             block.first_row + row % block.n_rows, ", which ", name_of(dtype), " cannot hold"),
         dtype == DType::f16 ? "capture with --dtype bf16 or f32" : "check the model file");
  }

  /// A row with NaN or infinity has no finite entropy.
  void check_entropies(const TapBlock& block) const {
    for (std::int64_t head = 0; head < block.n_heads; ++head) {
      const float* entropies = block.floats().data() + head * (block.n_rows + block.n_cols);
      const float* bad = std::find_if_not(entropies, entropies + block.n_rows,
                                          [](float x) { return std::isfinite(x); });
      if (bad == entropies + block.n_rows) continue;
      fail(cat("the model gave scores that are not finite in layer ", block.layer, ", head ",
               block.first_head + head, ", token ", block.first_row + (bad - entropies)),
           "check the model file, or run with --dtype bf16 or f32");
    }
  }

  /// A row with NaN or infinity has no finite logsumexp.
  void check_sums(const TapBlock& block) const {
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
      const float sum = block.floats()[static_cast<std::size_t>(row * block.n_cols + 2)];
      if (std::isfinite(sum)) continue;
      fail(cat("the model gave logits whose logsumexp is ", sum, " for token ",
               block.first_row + row),
           "check the model file, or run with --dtype bf16 or f32");
    }
  }

  void check_complete(std::int64_t n_tokens) const {
    const ModelShape& s = plan_.info.shape;
    const std::int64_t rows = n_tokens * plan_.info.n_captured_layers();
    const std::array<std::int64_t, 6> expected{rows * s.n_heads,
                                               rows * s.n_kv_heads,
                                               rows * s.n_kv_heads,
                                               0,
                                               has_scores(plan_) ? rows * s.n_heads : 0,
                                               n_tokens};
    const bool planned = plan_.may_end_early || n_tokens == plan_.max_tokens;
    if (!planned || n_tokens < plan_.info.n_prompt || rows_seen_ != expected) {
      fail(cat("the run did not deliver every row of its ", n_tokens, " tokens"),
           "capture again with as many tokens as were planned");
    }
  }

  [[noreturn]] void fail(const std::string& what, const std::string& cure) const {
    throw Error(ErrorKind::work, {.file = path_, .what = what, .cure = cure});
  }

  std::string path_;
  CapturePlan plan_;
  CaptureStats stats_;
  LogitsTable logits_;
  std::array<std::int64_t, 6> rows_seen_{};  ///< by TapKind, counted over layers and heads
  std::unique_ptr<OpenCaptureFile> open_;    ///< null once finished
  Worker disk_;
  TapQueue summarizing_, storing_;  ///< last: they use the others
};

}  // namespace

std::unique_ptr<CaptureWriter> CaptureWriter::create(const std::string& path,
                                                     const CapturePlan& plan) {
  validate(plan);
  return std::make_unique<CaptureFileWriter>(path, plan);
}

}  // namespace qaq
