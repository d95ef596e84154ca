#pragma once

#include <QObject>
#include <QString>
#include <optional>
#include <vector>

#include "core/analysis/auto_slices.h"
#include "views/models/analysis.h"
#include "views/models/derived.h"
#include "views/models/selection_model.h"

namespace qaq::views {

/// The named sets of a capture's cells: those that analyses make, which follow the parameters, then
/// those of the user. What the automatic ones need of the whole capture is read on a worker.
class SliceBook : public QObject {
  Q_OBJECT

 public:
  explicit SliceBook(SelectionModel* selection, QObject* parent = nullptr);

  /// Of another capture: the user's slices are dropped.
  void show(const SharedAnalysis& analysis);
  const std::vector<NamedSlice>& slices() const { return m_slices; }
  /// What a session keeps.
  std::vector<NamedSlice> userSlices() const;
  /// Those of another shape than the capture's cells are left out.
  void setUserSlices(const std::vector<NamedSlice>& slices);
  /// The automatic slices are whole.
  bool isReady() const { return m_traits.isReady(); }

  /// Keeps the selected set under `name`, or a name that is free; nothing where none is selected.
  void keepSelected(const QString& name = {});
  /// Of the user's slices; an automatic one, an empty name: nothing happens.
  void rename(int index, const QString& name);
  void remove(int index);
  /// Selects the slice.
  void choose(int index) const;
  /// The slice whose cells are exactly the selected ones.
  std::optional<int> chosen() const;

 signals:
  void changed();

 private:
  /// What the automatic slices of a capture follow from.
  struct Source {
    std::shared_ptr<const ViolationReport> violations;
    double ratio = 0;
    std::int64_t prefix = 0;
    std::int64_t forced = 0;

    bool operator==(const Source&) const = default;
  };
  Source followsFrom() const;
  void keep(const SelectionSet& cells, const QString& name);
  QString freeName(const QString& name) const;
  void makeAutomatic();
  bool isUsers(int index) const;

  SelectionModel* m_selection;
  SharedAnalysis m_analysis;
  Source m_madeFrom;
  std::shared_ptr<const TokenTraits> m_ofCapture;
  std::vector<NamedSlice> m_slices;
  Derived<TokenTraits> m_traits;  // last: its worker is joined first
};

}  // namespace qaq::views
