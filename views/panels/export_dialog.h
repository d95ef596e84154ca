#pragma once

#include <QDialog>
#include <QSizeF>

#include "views/plots/palette.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace qaq::views {

/// What is to be written of what is on the screen.
struct ExportRequest {
  enum class What { view, page, table };

  What what = What::view;
  QString view{};        ///< id; of What::view and What::table
  QString path{};        ///< its ending says the format
  QSizeF millimetres{};  ///< of figures
  int scale = 1;         ///< dots a px, of .png
  ThemeKind theme = ThemeKind::light;
  bool visibleRange = false;  ///< of tables: rows of the tokens, layers and steps in sight
};

/// Asks how a figure or the rows behind it are to be written. Not modal: the window goes on.
class ExportDialog : public QDialog {
  Q_OBJECT

 public:
  struct View {
    QString id, title;
    bool hasTable = false;
  };

  explicit ExportDialog(QWidget* parent = nullptr);

  /// The views on the page in sight, of which `chosen` is meant, and the page's size in px.
  void offer(const QList<View>& views, const QString& chosen, const QSize& page);
  ExportRequest request() const;
  /// Empty: it can be written.
  QString problem() const;

  QComboBox* what() const { return m_what; }
  QComboBox* size() const { return m_size; }
  QDoubleSpinBox* width() const { return m_width; }
  QDoubleSpinBox* height() const { return m_height; }
  QSpinBox* scale() const { return m_scale; }
  QCheckBox* dark() const { return m_dark; }
  QCheckBox* visibleRange() const { return m_visibleRange; }
  QLineEdit* path() const { return m_path; }

 signals:
  void exportRequested(const qaq::views::ExportRequest& request);

 private:
  void choosePath();
  void takeSize();
  void refresh();
  bool wantsTable() const;

  QList<View> m_views;
  QSize m_page;
  QComboBox* m_what;
  QComboBox* m_size;
  QDoubleSpinBox* m_width;
  QDoubleSpinBox* m_height;
  QSpinBox* m_scale;
  QCheckBox* m_dark;
  QCheckBox* m_visibleRange;
  QLineEdit* m_path;
  QLabel* m_problem;
  QPushButton* m_export;
};

}  // namespace qaq::views
