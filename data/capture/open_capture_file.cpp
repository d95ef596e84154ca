#include "data/capture/open_capture_file.h"

#include <utility>

#include "data/capture/capture_metadata.h"

namespace qaq {

OpenCaptureFile::OpenCaptureFile(const std::string& path, const CapturePlan& plan,
                                 std::function<bool()> hurried)
    : file(PartialFile::name_for_writing(path), h5::Access::create),
      partial(path),
      direct(PartialFile::name_of(path), std::move(hurried)) {
  write_skeleton(file, plan);
  for (const RowPlan& rows : row_plans(plan)) {
    if (rows.path == capture_path::kScores) {
      attention = std::make_unique<AttentionRows>(file, direct, rows);
      continue;
    }
    auto& dataset = rows.path == capture_path::kKey     ? key
                    : rows.path == capture_path::kValue ? value
                                                        : query;
    dataset = std::make_unique<RowDataset>(file, direct, rows);
  }
}

void OpenCaptureFile::publish() {
  key.reset();
  value.reset();
  query.reset();
  attention.reset();
  file.close();
  partial.rename();
}

}  // namespace qaq
