// Tests of acme.rfm, on the engine itself. <adloom/test.h> tells what else a test can ask for.
#include <adloom/test.h>

#include <string>

namespace {

const char stage[] = "use: acme.rfm, recency: days, frequency: orders, monetary: spent, cell: cell";
const char columns[] = "{user: id, days: float, orders: int, spent: float}";

// Five users, one in each grade of everything but for what is changed.
void shoppers(adl_test *t) {
  adl_test_plugin(t, "acme.rfm.so");
  adl_test_csv(t, columns, "user,days,orders,spent\na,1,50,500\nb,10,40,400\nc,20,30,300\nd,30,20,200\ne,40,10,100\nf,,1,1\n");
}

void grades_by_quantiles(adl_test *t) {
  static const char *const cells[] = {"555", "444", "333", "222", "111"};
  static const char *const segments[] = {"champion", "champion", "regular", "lost", "lost"};
  shoppers(t);
  adl_test_stage(t, stage);
  ADL_CHECK_ROWS(t, 5);
  for (int row = 0; row < 5; row++) {
    ADL_CHECK_TEXT(t, "cell", row, cells[row]);
    ADL_CHECK_TEXT(t, "segment", row, segments[row]);
  }
  ADL_CHECK_NEAR(t, adl_test_tensor_at(t, "stage", "edges", 0), -40, 0); // recency is turned round
  ADL_CHECK_NEAR(t, adl_test_tensor_at(t, "stage", "edges", 4), 10, 0);
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 1, 0); // the row without a number
}

// The model, on other rows: nothing is learned.
void applies_the_model(adl_test *t) {
  shoppers(t);
  adl_test_stage(t, stage);
  adl_test_apply(t, columns, "user,days,orders,spent\nv,100,50,500\nw,0,1,1\nx,0,99,1\ny,20,99,0\nz,25,25,1e9\n");
  static const char *const cells[] = {"155", "511", "551", "351", "335"};
  static const char *const segments[] = {"at-risk", "promising", "loyal", "loyal", "regular"};
  ADL_CHECK_ROWS(t, 5);
  for (int row = 0; row < 5; row++) {
    ADL_CHECK_TEXT(t, "cell", row, cells[row]);
    ADL_CHECK_TEXT(t, "segment", row, segments[row]);
  }
}

void takes_timestamps(adl_test *t) {
  adl_test_plugin(t, "acme.rfm.so");
  adl_test_csv(t, "{last: timestamp, orders: int, spent: float}",
               "last,orders,spent\n2026-01-01T00:00:00,1,1\n2026-02-01T00:00:00,1,1\n2026-03-01T00:00:00,1,1\n");
  adl_test_stage(t, "use: acme.rfm, recency: last, frequency: orders, monetary: spent, grades: 3, cell: cell");
  ADL_CHECK_TEXT(t, "cell", 0, "111"); // equal values have equal grades: the worst that fits
  ADL_CHECK_TEXT(t, "cell", 2, "311");
}

// Each grade has a fifth of many users, whatever their order.
void grades_are_of_one_size(adl_test *t) {
  std::string rows = "user,days,orders,spent\n";
  for (int i = 0; i < 1000; i++) {
    std::string n = std::to_string(i * 617 % 1000);
    rows += "u," + n + "," + n + "," + n + "\n";
  }
  adl_test_plugin(t, "acme.rfm.so");
  adl_test_csv(t, columns, rows.c_str());
  adl_test_stage(t, stage);
  int counts[6] = {};
  for (int row = 0; row < 1000; row++) counts[adl_test_text(t, "cell", row)[1] - '0']++;
  for (int grade = 1; grade <= 5; grade++) ADL_CHECK_NEAR(t, counts[grade], 200, 0);
}

void does_not_depend_on_threads_or_batches(adl_test *t) {
  shoppers(t);
  ADL_CHECK_INVARIANT(t, stage, 0);
}

} // namespace

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(grades_by_quantiles), ADL_CASE(applies_the_model),
                                        ADL_CASE(takes_timestamps), ADL_CASE(grades_are_of_one_size),
                                        ADL_CASE(does_not_depend_on_threads_or_batches)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
