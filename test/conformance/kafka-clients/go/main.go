// franz-go through a sidecar: `clients <bootstrap>` ends with 0, or says what was not as it should be.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const perTopic = 1000

var bootstrap string

func main() {
	bootstrap = os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{{"admin", admin}, {"groups, all packings", groups}, {"consume, transform, produce", transform}, {"what is refused", refused}} {
		if err := step.run(ctx); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", step.name, err)
			os.Exit(1)
		}
	}
}

func client(opts ...kgo.Opt) *kgo.Client {
	all := append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ClientID("franz")}, opts...)
	made, err := kgo.NewClient(all...)
	if err != nil {
		panic(err)
	}
	return made
}

func admin(ctx context.Context) error {
	c := client()
	defer c.Close()
	adm := kadm.NewClient(c)
	for _, topic := range []string{"c-franz", "c-franz-out", "c-franz-gone"} {
		if _, err := adm.CreateTopic(ctx, 3, 1, nil, topic); err != nil {
			return fmt.Errorf("create %s: %w", topic, err)
		}
	}
	if _, err := adm.DeleteTopic(ctx, "c-franz-gone"); err != nil {
		return err
	}
	topics, err := adm.ListTopics(ctx)
	if err != nil {
		return err
	}
	if !topics.Has("c-franz") || topics.Has("c-franz-gone") || topics.Has("secret") {
		return fmt.Errorf("topics are %v", topics.Names())
	}
	brokers, err := adm.ListBrokers(ctx)
	if err != nil {
		return err
	}
	for _, broker := range brokers {
		if broker.Host != "127.0.0.1" && broker.Host != "localhost" {
			return fmt.Errorf("a broker's own address: %s", broker.Host)
		}
	}
	_, err = adm.DescribeTopicConfigs(ctx, "c-franz")
	return err
}

func groups(ctx context.Context) error {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	for n, codec := range codecs {
		producer := client(kgo.ProducerBatchCompression(codec))
		for i := n * perTopic; i < (n+1)*perTopic; i++ {
			producer.Produce(ctx, &kgo.Record{Topic: "c-franz", Key: []byte(strconv.Itoa(i % 10)), Value: []byte(strconv.Itoa(i))}, nil)
		}
		err := producer.Flush(ctx)
		producer.Close()
		if err != nil {
			return err
		}
	}
	want := len(codecs) * perTopic
	first := client(kgo.ConsumerGroup("c-franz"), kgo.ConsumeTopics("c-franz"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.Balancers(kgo.CooperativeStickyBalancer()))
	defer first.Close()
	got := map[string]bool{}
	byKey := map[string][]int{}
	for len(got) < want {
		fetches := first.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n, _ := strconv.Atoi(string(r.Value))
			got[string(r.Value)] = true
			byKey[string(r.Key)] = append(byKey[string(r.Key)], n)
		})
	}
	for key, values := range byKey {
		if !slices.IsSorted(values) {
			return fmt.Errorf("key %s is out of order", key)
		}
	}
	if err := first.CommitUncommittedOffsets(ctx); err != nil {
		return err
	}
	lags, err := kadm.NewClient(first).Lag(ctx, "c-franz")
	if err != nil {
		return err
	}
	if lag := lags["c-franz"]; lag.Error() != nil || lag.Lag.Total() != 0 {
		return fmt.Errorf("lag is %d, %v", lag.Lag.Total(), lag.Error())
	}
	return nil
}

// Every record exactly once into another topic, with some transactions aborted on the way.
func transform(ctx context.Context) error {
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.ClientID("franz-eos"), kgo.TransactionalID("c-franz-eos"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumerGroup("c-franz-eos"), kgo.ConsumeTopics("c-franz"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets())
	if err != nil {
		return err
	}
	defer session.Close()
	want := 5 * perTopic
	done := 0
	for attempt := 0; done < want; attempt++ {
		fetches := session.PollRecords(ctx, 700)
		if err := fetches.Err(); err != nil {
			return err
		}
		if err := session.Begin(); err != nil {
			return err
		}
		count := 0
		fetches.EachRecord(func(r *kgo.Record) {
			count++
			session.Produce(ctx, &kgo.Record{Topic: "c-franz-out", Key: r.Key, Value: r.Value}, nil)
		})
		committed, err := session.End(ctx, kgo.TransactionEndTry(attempt%3 != 1))
		if err != nil {
			return err
		}
		if committed {
			done += count
		}
	}
	reader := client(kgo.ConsumeTopics("c-franz-out"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer reader.Close()
	seen := map[string]int{}
	total := 0
	for total < want {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++; total++ })
	}
	for value, times := range seen {
		if times != 1 {
			return fmt.Errorf("%s was seen %d times", value, times)
		}
	}
	return nil
}

func refused(ctx context.Context) error {
	producer := client(kgo.UnknownTopicRetries(1))
	defer producer.Close()
	err := producer.ProduceSync(ctx, &kgo.Record{Topic: "secret", Value: []byte("no")}).FirstErr()
	if !errors.Is(err, kerr.TopicAuthorizationFailed) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("expected a refusal, came %v", err)
	}
	member := client(kgo.ConsumerGroup("x-franz"), kgo.ConsumeTopics("secret"))
	defer member.Close()
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	fetches := member.PollFetches(short)
	if err := fetches.Err(); err == nil || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("expected that the group is refused, came %v", err)
	}
	return nil
}
