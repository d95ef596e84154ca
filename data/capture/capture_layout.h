#pragma once

#include <string>
#include <vector>

namespace qaq {

/// Names and places of the capture file, format qaq-capture, version 1.
inline constexpr const char* kCaptureFormat = "qaq-capture";
inline constexpr int kCaptureVersion = 1;

namespace capture_path {
inline constexpr const char* kEntry = "/entry";
inline constexpr const char* kModel = "/entry/model";
inline constexpr const char* kTokenizer = "/entry/tokenizer";
inline constexpr const char* kPrompt = "/entry/prompt";
inline constexpr const char* kTokenIds = "/entry/prompt/token_ids";
inline constexpr const char* kTokenText = "/entry/prompt/token_text";
inline constexpr const char* kTokenBytes = "/entry/prompt/token_bytes";
inline constexpr const char* kAxes = "/entry/axes";
inline constexpr const char* kKv = "/entry/kv";
inline constexpr const char* kKey = "/entry/kv/key";
inline constexpr const char* kValue = "/entry/kv/value";
inline constexpr const char* kQuery = "/entry/query";
inline constexpr const char* kQueryValues = "/entry/query/values";
inline constexpr const char* kQueryNorm2 = "/entry/query/norm2";
inline constexpr const char* kAttention = "/entry/attention";
inline constexpr const char* kScores = "/entry/attention/scores";
inline constexpr const char* kQueryToken = "/entry/attention/query_token";
inline constexpr const char* kLogits = "/entry/logits";
inline constexpr const char* kStats = "/entry/stats";
inline constexpr const char* kImportanceWindow = "/entry/stats/importance_window";
inline constexpr const char* kImportance = "/entry/importance";
inline constexpr const char* kRuns = "/runs";
}  // namespace capture_path

/// What a dataset's axes are, in the words of /entry/axes ("": an axis without coordinates), and
/// what its numbers mean, for people and programs that read CF attributes.
struct DatasetMeaning {
  const char* path;  ///< below /entry; below the run for those of a run
  std::vector<std::string> axes;
  const char* long_name;
  const char* units;
  const char* unturned_name = nullptr;  ///< in place of long_name where the model has no RoPE
};

/// Every dataset under /entry but the axes themselves. To add one: add its line here and write it;
/// its labels, scales, names and units follow from the line.
const std::vector<DatasetMeaning>& entry_datasets();
/// Every dataset of a run. Those that begin with step_ are of streaming runs alone: one number a
/// step of decode.
const std::vector<DatasetMeaning>& run_datasets();

}  // namespace qaq
