#include "data/capture/open_capture_file.h"

#include "data/capture/capture_metadata.h"

namespace qaq {

OpenCaptureFile::OpenCaptureFile(const std::string& path, const CapturePlan& plan)
    : file(PartialFile::name_of(path), h5::Access::create), partial(path) {
  write_skeleton(file, plan);
  for (const RowPlan& rows : row_plans(plan)) {
    if (rows.path == capture_path::kKey) key = std::make_unique<RowDataset>(file, rows);
    if (rows.path == capture_path::kValue) value = std::make_unique<RowDataset>(file, rows);
    if (rows.path == capture_path::kQueryValues) query = std::make_unique<RowDataset>(file, rows);
    if (rows.path == capture_path::kScores) attention = std::make_unique<AttentionRows>(file, rows);
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
